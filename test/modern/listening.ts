/** Subscriptions as tests hold them: opened and acknowledged, read, and flushed to prove what did not come. */
import { expect } from 'chai';
import { isResponse, type RpcMessage } from '../support/json-rpc.js';
import type { Target } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';
import { ask, callTool, type ModernOptions } from './modern-client.js';

export const LISTEN = 'subscriptions/listen';
const BARRIER = 'test://barrier';

export interface Filter {
  readonly toolsListChanged?: boolean;
  readonly promptsListChanged?: boolean;
  readonly resourcesListChanged?: boolean;
  readonly resourceSubscriptions?: readonly string[];
}

export const isAcknowledgement = ({ method }: RpcMessage): boolean =>
  method === 'notifications/subscriptions/acknowledged';

/** Opens a subscription that hears of the barrier too, and resolves when it is acknowledged. */
export async function listen(target: Target, filter: Filter, options: ModernOptions = {}): Promise<RawResponse> {
  const resourceSubscriptions = [...(filter.resourceSubscriptions ?? []), BARRIER];
  const stream = await ask(target, LISTEN, { notifications: { ...filter, resourceSubscriptions } }, options);
  expect(stream.status, 'status of the subscription').to.equal(200);
  await stream.waitFor(isAcknowledgement, 'the acknowledgement');
  return stream;
}

const barriersOf = (stream: RawResponse): RpcMessage[] =>
  stream.messages.filter(({ params }) => params?.uri === BARRIER);

/** Barrier: the fleet has one order of changes, so what was to come before this one has come when it is here. */
export async function flush(target: Target, stream: RawResponse, node?: number): Promise<void> {
  const passed = barriersOf(stream).length;
  await callTool(target, 'touch', { uri: BARRIER }, node === undefined ? {} : { node });
  await stream.waitForMany(({ params }) => params?.uri === BARRIER, passed + 1, 'the barrier');
}

/** What a subscription was told, acknowledgement and barriers apart: methods, and URIs where there are any. */
export const toldOn = (stream: RawResponse): string[] =>
  stream.messages
    .filter((message) => !isAcknowledgement(message) && !isResponse(message) && message.params?.uri !== BARRIER)
    .map(({ method, params }) => params?.uri ?? method);
