/** Where the output of an exchange goes. */

import type { EventSink, SseEvent } from '../core/event-sink.js';
import type { JsonRpcMessage, JsonRpcResponse } from '../core/jsonrpc.js';

export type { EventSink, SseEvent };

export interface Outlet {
  /** Under which name the call is journaled; undefined: it is not (yet). */
  readonly callId: string | undefined;
  /** The answer to a request of the exchange. A promise only where it has to be stored; then resolved. @throws StreamLost */
  result(response: JsonRpcResponse): void | Promise<void>;
  /** A message that belongs to a request being served: progress, log lines, the server's own requests. @throws StreamLost */
  related(message: JsonRpcMessage): Promise<void>;
  /** A message of the session as a whole. @throws StreamLost */
  unrelated(message: JsonRpcMessage): Promise<void>;
  /** A request of the exchange was cancelled and gets no answer. */
  unanswered(): Promise<void>;
  /** What a request asked for cannot be done on the level of the session (it ended, the store is away). */
  refuse(request: { readonly id: string | number }, refusal: Refusal): Promise<void>;
  /**
   * Nothing is written: whoever waits for the answer tells its client that the token is not good for the requests. False, or
   * unset: they have to be answered here.
   */
  forbid?(): boolean;
  /** Nothing more comes: the exchange was given up. */
  abandon(refusal: Refusal): void;
  /** Closes the connection of the call, not its stream: the client comes back for the rest. */
  closeStream(): void;
  /**
   * This node goes before the call is over: what a survivor needs is put into the journal, if it is not there yet. False:
   * this client could not come back for the answer. Unset: there is nothing to do.
   */
  leave?(): boolean;
}

export type Refusal = 'gone' | 'unavailable' | 'fenced';

/** The HTTP response of a POST, as far as an outlet has to do with it. */
export interface PostReply {
  /** The client has gone: whatever is written goes nowhere. */
  readonly gone: boolean;
  /** A body that is JSON text already. */
  json(text: string): void;
  refuse(refusal: Refusal, id: string | number | null): void;
  /** Sends the headers of an SSE response. */
  openStream(connectionId: string): EventSink;
}
