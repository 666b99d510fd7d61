/** The HTTP response of a POST, as the exchange's outlet uses it. */
import type { ServerResponse } from 'node:http';
import type { JsonRpcId } from '../core/jsonrpc.js';
import type { EventSink, PostReply, Refusal } from '../mcp/outlet.js';
import { faults } from './faults.js';
import { sendFault, sendText } from './reply.js';
import { SseConnection } from './sse-connection.js';

export class HttpPostReply implements PostReply {
  readonly #res: ServerResponse;
  readonly #keepAliveMs: number;
  /** The id to answer with when the whole request is refused. */
  readonly #id: JsonRpcId | null;

  constructor(res: ServerResponse, id: JsonRpcId | null, keepAliveMs: number) {
    this.#res = res;
    this.#id = id;
    this.#keepAliveMs = keepAliveMs;
  }

  get gone(): boolean {
    return this.#res.destroyed;
  }

  json(text: string): void {
    sendText(this.#res, 200, text);
  }

  refuse(refusal: Refusal, id: JsonRpcId | null): void {
    sendFault(this.#res, id ?? this.#id, refusal === 'gone' ? faults.sessionNotFound() : faults.storeAway());
  }

  openStream(connectionId: string): EventSink {
    return new SseConnection(this.#res, connectionId, this.#keepAliveMs);
  }
}
