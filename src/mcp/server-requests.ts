/**
 * The requests that one server has sent to its client and that are not answered yet.
 *
 * To the client each has a wire id, which says where its answer goes; to the server it keeps the id that the server gave
 * it. A request that nobody waits for any more is taken back on the stream that carried it.
 *
 * Not here: the way an answer takes between nodes (core/relay.ts).
 */
import {
  isObject,
  isResponse,
  type JsonRpcId,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
} from '../core/jsonrpc.js';
import { carrierOf, type TraceContext } from '../core/trace-context.js';
import { failureOf, failures, type Span } from '../core/tracing.js';
import type { Outlet } from './outlet.js';

interface Outstanding {
  readonly wireId: string;
  /** From the question to its answer. */
  readonly span: Span | undefined;
  readonly localId: JsonRpcId;
  /** The request it was sent for, by the id the server knows; undefined: for none. */
  readonly relatedTo: JsonRpcId | undefined;
}

export class ServerRequests {
  readonly #outlet: Outlet;
  readonly #wireId: (number: number, trace?: TraceContext) => string;
  readonly #outstanding = new Map<number, Outstanding>();
  #numbered = 0;

  constructor(outlet: Outlet, wireId: (number: number, trace?: TraceContext) => string) {
    this.#outlet = outlet;
    this.#wireId = wireId;
  }

  /** How many the server waits for. */
  get size(): number {
    return this.#outstanding.size;
  }

  /** Sends a request of the server. @throws StreamLost, and TypeError for one that is no JSON: neither is waited for. */
  async ask(request: JsonRpcRequest, relatedTo: JsonRpcId | undefined, span?: Span): Promise<void> {
    this.#numbered += 1;
    const number = this.#numbered;
    const wireId = this.#wireId(number, span?.context);
    this.#outstanding.set(number, { wireId, span, localId: request.id, relatedTo });
    try {
      const traced = span ? withTrace(request, span.context) : request;
      await this.#send({ ...withProgressToken(traced, wireId), id: wireId }, relatedTo);
    } catch (error) {
      this.#outstanding.delete(number);
      span?.end(failures.abandoned);
      throw error;
    }
  }

  /** The client's answer, or its progress, under the id the server knows. Undefined: nobody waits for it. */
  receive(number: number, message: JsonRpcMessage): JsonRpcMessage | undefined {
    const outstanding = this.#outstanding.get(number);
    if (!outstanding) return undefined;
    if (isResponse(message)) {
      this.#outstanding.delete(number);
      outstanding.span?.end(failureOf(message));
      return { ...message, id: outstanding.localId };
    }
    return { ...message, params: { ...(message.params ?? {}), progressToken: outstanding.localId } };
  }

  /** The server takes a request of its own back. @throws StreamLost */
  async withdraw({ params }: JsonRpcNotification): Promise<void> {
    for (const [number, { localId }] of this.#outstanding) {
      if (localId === params?.requestId) return this.#cancel(number, params?.reason);
    }
  }

  /** A request of the client has ended: what was asked for its sake is cancelled. @throws StreamLost */
  async abandon(serverId: JsonRpcId): Promise<void> {
    for (const [number, { relatedTo }] of this.#outstanding) {
      if (relatedTo === serverId) await this.#cancel(number, 'the request it belonged to has ended');
    }
  }

  async #cancel(number: number, reason: unknown): Promise<void> {
    const outstanding = this.#outstanding.get(number);
    if (!outstanding) return;
    this.#outstanding.delete(number);
    outstanding.span?.end(failures.cancelled);
    const params = { requestId: outstanding.wireId, ...(typeof reason === 'string' && { reason }) };
    await this.#send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, outstanding.relatedTo);
  }

  /** Nobody will be there for the answers. */
  end(): void {
    for (const { span } of this.#outstanding.values()) span?.end(failures.abandoned);
  }

  #send(message: JsonRpcMessage, relatedTo: JsonRpcId | undefined): Promise<void> {
    return relatedTo === undefined ? this.#outlet.unrelated(message) : this.#outlet.related(message);
  }
}

/** A context that the server has set by itself is more exact than ours. */
export function withTrace(request: JsonRpcRequest, context: TraceContext): JsonRpcRequest {
  const meta = isObject(request.params?._meta) ? request.params._meta : {};
  if (meta.traceparent !== undefined) return request;
  return { ...request, params: { ...request.params, _meta: { ...meta, ...carrierOf(context) } } };
}

/** Progress on a server's request comes back under a token; like the id, it has to say where it goes. */
function withProgressToken(request: JsonRpcRequest, wireId: string): JsonRpcRequest {
  const meta = request.params?._meta;
  if (!isObject(meta) || meta.progressToken === undefined) return request;
  return { ...request, params: { ...request.params, _meta: { ...meta, progressToken: wireId } } };
}
