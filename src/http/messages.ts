/** From a body to messages: what is a request, what is a batch, and what is neither. */
import {
  isObject,
  isRequest,
  isResponse,
  type JsonRpcId,
  type JsonRpcMessage,
  messageFault,
  metaFault,
  readableId,
} from '../core/jsonrpc.js';
import type { Body, BodyLimits } from './body.js';
import { faults } from './faults.js';
import type { HttpFault } from './reply.js';

/** Characters of what `initialize` says: it is kept with the session and loaded for every request of it. */
const MAX_HANDSHAKE = 128 * 1024;

export type Parsed =
  | { readonly outcome: 'messages'; readonly messages: readonly JsonRpcMessage[]; readonly batch: boolean }
  | {
      readonly outcome: 'refused';
      readonly id: JsonRpcId | null;
      readonly fault: HttpFault;
      /** The same where the message belongs to the modern era, if it is another: there the envelope is a parameter. */
      readonly modern?: HttpFault;
    }
  | { readonly outcome: 'aborted' };

/** Refuses a batch as a whole, before any of its messages is looked at by anybody else. */
export function parseMessages(body: Body, { maxBytes, maxBatch, maxDepth, maxElements }: BodyLimits): Parsed {
  switch (body.outcome) {
    case 'aborted':
      return { outcome: 'aborted' };
    case 'too-large':
      return refused(null, faults.bodyTooLarge(maxBytes));
    case 'not-json':
      return refused(null, faults.notJson());
    case 'too-deep':
      return refused(null, faults.notJsonRpc(`a body is nested ${maxDepth} deep at most`, 'body_depth'));
    case 'too-many':
      return refused(null, faults.notJsonRpc(`a body has ${maxElements} elements at most`, 'body_elements'));
    case 'given-twice':
      return refused(null, faults.notJsonRpc('a member of a message is given twice'));
  }
  const { value } = body;
  if (!Array.isArray(value)) {
    const fault = messageFault(value);
    if (fault !== undefined) {
      const ofEnvelope = isObject(value) && isObject(value.params) && metaFault(value.params._meta) === fault;
      const modern = ofEnvelope ? { modern: faults.invalidParams(fault) } : {};
      return { outcome: 'refused', id: readableId(value), fault: faults.notJsonRpc(fault), ...modern };
    }
    return { outcome: 'messages', messages: [value as JsonRpcMessage], batch: false };
  }
  if (value.length > maxBatch) {
    return refused(null, faults.notJsonRpc(`a batch has ${maxBatch} messages at most`, 'batch_length'));
  }
  const fault = batchFault(value);
  if (fault !== undefined) return refused(null, faults.notJsonRpc(fault));
  return { outcome: 'messages', messages: value as JsonRpcMessage[], batch: true };
}

/** Judged here and not by the server, so that a handshake that cannot succeed costs nobody a server. */
export function initializeFault(params: Record<string, unknown> | undefined): string | undefined {
  if (typeof params?.protocolVersion !== 'string') return 'protocolVersion must be a string';
  if (!isObject(params.capabilities)) return 'capabilities must be an object';
  if (!isObject(params.clientInfo)) return 'clientInfo must be an object';
  if (JSON.stringify(params).length > MAX_HANDSHAKE) return `a handshake has ${MAX_HANDSHAKE} characters at most`;
  return undefined;
}

function batchFault(batch: readonly unknown[]): string | undefined {
  if (batch.length === 0) return 'a batch has at least one message';
  for (const message of batch) {
    const fault = messageFault(message);
    if (fault !== undefined) return fault;
  }
  const messages = batch as JsonRpcMessage[];
  if (messages.some((message) => isRequest(message) && message.method === 'initialize')) {
    return 'initialize is never part of a batch';
  }
  if (messages.some(isResponse) && !messages.every(isResponse)) {
    return 'responses are not mixed with other messages in a batch';
  }
  return undefined;
}

function refused(id: JsonRpcId | null, fault: HttpFault): Parsed {
  return { outcome: 'refused', id, fault };
}
