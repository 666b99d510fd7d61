/**
 * The connection of a server: to it this is the transport, the SDKs' own seam, and it stays the same one while exchanges
 * come and go. An exchange takes its place here, and what the server says goes to whichever exchange has it.
 *
 * A fresh server is brought to the session's state by delivering the stored `initialize` first; its reply is swallowed.
 * What that leaves in the server depends on those params alone, so a server that is lent may go on, still connected, with
 * the next session whose client opened it with exactly the same ones. (Closing and replaying costs as much as a call.)
 *
 * Nothing of one session can reach another that way: only exchanges without open requests give their place up, and the
 * ids that a lent server sees never come twice, so a late word about an earlier request finds nobody.
 */
import { isObject, isResponse, type JsonRpcId, type JsonRpcMessage, type JsonRpcResponse } from '../core/jsonrpc.js';
import type { ScopeResolver } from './scope-challenge.js';
import type { McpServerLike, TransportLike } from './server-module.js';

/** Id of the replayed `initialize`. Nothing else is delivered before its reply came, so it cannot be mistaken. */
const HYDRATION_ID = 'anynode:hydration';

/** Of what is sent at once; one for all, since each promise more on the way of an answer can be seen in its cost. */
export const SENT: Promise<void> = Promise.resolve();

/** Who has the place: what the server says goes there. */
export interface Seated {
  readonly sessionId: string;
  send(message: JsonRpcMessage, options?: { relatedRequestId?: JsonRpcId }): Promise<void>;
  /** The server closed itself. */
  serverClosed(): Promise<void>;
}

export class Seat implements TransportLike {
  readonly server: McpServerLike;
  /** The params of `initialize` that the server has seen, as JSON; empty: none that another session could share. */
  readonly key: string;
  /** Whether the server serves one exchange after another. */
  readonly lent: boolean;
  onmessage?: TransportLike['onmessage'];
  onclose?: TransportLike['onclose'];
  onerror?: TransportLike['onerror'];
  seated: Seated | undefined;
  /** What the server declared when it was hydrated. */
  capabilities: Record<string, unknown> = {};
  /** Servers of SDK 2.x give it when they are connected. */
  scopeResolver: ScopeResolver | undefined;
  #closed = false;
  #numbered = 0;
  #hydrated: ((reply: JsonRpcResponse) => void) | undefined;

  constructor(server: McpServerLike, key: string, lent: boolean) {
    this.server = server;
    this.key = key;
    this.lent = lent;
  }

  get sessionId(): string | undefined {
    return this.seated?.sessionId;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** An id that this server has never seen. */
  nextId(): string {
    this.#numbered += 1;
    return `anynode:request:${this.#numbered}`;
  }

  async hydrate(initialize: string): Promise<void> {
    const reply = await new Promise<JsonRpcResponse>((resolve) => {
      this.#hydrated = resolve;
      this.onmessage?.({ jsonrpc: '2.0', id: HYDRATION_ID, method: 'initialize', params: JSON.parse(initialize) });
    });
    this.#hydrated = undefined;
    this.learn(reply);
  }

  /** Takes note of the server's answer to `initialize`. */
  learn(reply: JsonRpcResponse): void {
    if ('result' in reply && isObject(reply.result.capabilities)) this.capabilities = reply.result.capabilities;
  }

  async start(): Promise<void> {}

  setScopeChallengeResolver(resolver: ScopeResolver): void {
    this.scopeResolver = resolver;
  }

  send(message: JsonRpcMessage, options?: { relatedRequestId?: JsonRpcId }): Promise<void> {
    if (!(this.#hydrated && isResponse(message) && message.id === HYDRATION_ID)) {
      return this.seated?.send(message, options) ?? SENT;
    }
    this.#hydrated(message);
    return SENT;
  }

  /** The server closed itself, or was closed: both sides have to know, each once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
    await this.seated?.serverClosed();
  }
}
