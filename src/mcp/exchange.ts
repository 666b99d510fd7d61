/**
 * An exchange: one POST, served by a server that was built (or lent) for it alone.
 *
 * To the server it is a transport, the SDKs' own seam; on the other side it knows the session, the node and the outlet.
 * It brings a fresh server to the session's state by delivering the stored `initialize` first (its reply is swallowed),
 * gives the server's requests ids that say where their answers go, binds messages to the request they belong to, and
 * ends when every request has been answered.
 *
 * Not here: HTTP (http/), the form of the answer (post-outlet.ts, main-outlet.ts), what results change in the session
 * (session-effects.ts).
 */
import type { Hub, OpenExchange } from '../core/hub.js';
import {
  ErrorCode,
  errorResponse,
  isObject,
  isRequest,
  isResponse,
  type JsonRpcId,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from '../core/jsonrpc.js';
import { isLogged } from '../core/log-level.js';
import type { Logger } from '../core/logger.js';
import { StoreUnavailable } from '../core/ports/store.js';
import { newExchangeId } from '../core/random-id.js';
import { SessionGone } from '../core/server-context.js';
import { StreamLost } from '../core/stream-writer.js';
import { formatWireId } from '../core/wire-id.js';
import type { Outlet, Refusal } from './outlet.js';
import type { McpServerLike, TransportLike } from './server-module.js';
import { ServerRequests } from './server-requests.js';
import type { SessionEffects } from './session-effects.js';

/** Id of the replayed `initialize`. Nothing else is delivered before its reply came, so it cannot be mistaken. */
const HYDRATION_ID = 'anynode:hydration';

/** Notifications that concern the session as a whole, whatever request happens to be served when they are sent. */
const OF_THE_SESSION = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/elicitation/complete',
]);

export interface ExchangeSession {
  readonly sessionId: string;
  readonly initialize: string;
  readonly logLevel: string;
}

export interface ExchangeOptions {
  readonly session: ExchangeSession;
  readonly nodeToken: string;
  readonly hub: Hub;
  readonly logger: Logger;
  readonly outlet: Outlet;
  readonly effects: SessionEffects;
  /** What handlers are told of the HTTP request (authentication, headers). */
  readonly extra: object;
  /** Runs a delivery so that handlers can ask for the current exchange; unset where nobody will. */
  readonly enter?: (deliver: () => void) => void;
  /** Whether the running code was called by this exchange; unset where the server is nobody else's. */
  readonly isOwn?: () => boolean;
  /** Called once, when the server is not needed any more. `clean`: no handler was still running. */
  readonly onEnd: (clean: boolean) => void;
}

interface Inbound {
  readonly request: JsonRpcRequest;
  readonly serverId: JsonRpcId;
}

export class Exchange implements OpenExchange, TransportLike {
  readonly sessionId: string;
  onmessage?: TransportLike['onmessage'];
  onclose?: TransportLike['onclose'];
  onerror?: TransportLike['onerror'];

  readonly #options: ExchangeOptions;
  readonly #inbound = new Map<JsonRpcId, Inbound>();
  readonly #asked: ServerRequests;
  /** Made when the server asks the client something for the first time; most exchanges never do. */
  #id: string | undefined;
  #renamed = 0;
  #level: string;
  #closed = false;
  #clean = true;
  #hydrated: ((reply: JsonRpcResponse) => void) | undefined;
  #serverCapabilities: Record<string, unknown> = {};

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.sessionId = options.session.sessionId;
    this.#level = options.session.logLevel;
    const { nodeToken, outlet } = options;
    this.#asked = new ServerRequests(outlet, (number) => formatWireId({ nodeToken, exchangeId: this.id, number }));
  }

  get id(): string {
    this.#id ??= newExchangeId();
    return this.#id;
  }

  get callId(): string | undefined {
    return this.#options.outlet.callId;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the server waits for the client: then the exchange is not over though nothing is being served. */
  get waiting(): boolean {
    return this.#asked.size > 0;
  }

  // ---- from this side ----

  /** Connects a server and replays the session's `initialize` into it. */
  async hydrate(server: McpServerLike): Promise<void> {
    await this.connect(server);
    const { initialize } = this.#options.session;
    if (initialize === '') return;
    const reply = await new Promise<JsonRpcResponse>((resolve) => {
      this.#hydrated = resolve;
      this.onmessage?.({ jsonrpc: '2.0', id: HYDRATION_ID, method: 'initialize', params: JSON.parse(initialize) });
    });
    if ('result' in reply && isObject(reply.result.capabilities)) this.#serverCapabilities = reply.result.capabilities;
  }

  async connect(server: McpServerLike): Promise<void> {
    this.#options.hub.addExchange(this);
    await server.connect(this);
  }

  deliver(message: JsonRpcRequest | JsonRpcNotification): void {
    if (this.#closed) return;
    const { hub } = this.#options;
    if (!isRequest(message)) {
      // Handlers of notifications do not say when they are done, so nobody else gets this server.
      this.#clean = false;
      this.#toServer(message);
      return;
    }
    const serverId = this.#serverId(message.id);
    this.#inbound.set(serverId, { request: message, serverId });
    const delivered = serverId === message.id ? message : { ...message, id: serverId };
    this.#toServer(delivered);
    if (hub.wasCancelled(this.sessionId, message.id)) this.cancel(message.id, undefined);
  }

  /**
   * The id the server sees. It is the client's own, but for ids that the first SDK line takes for absent (0 and the
   * empty string cannot be cancelled there) and for a second one in a batch.
   */
  #serverId(id: JsonRpcId): JsonRpcId {
    if (id !== 0 && id !== '' && !this.#inbound.has(id)) return id;
    this.#renamed += 1;
    return `anynode:request:${this.#renamed}`;
  }

  receive(number: number, message: JsonRpcMessage): boolean {
    const forServer = this.#closed ? undefined : this.#asked.receive(number, message);
    if (forServer) this.#toServer(forServer);
    return forServer !== undefined;
  }

  #toServer(message: JsonRpcMessage): void {
    const { enter, extra } = this.#options;
    if (enter) enter(() => this.onmessage?.(message, extra));
    else this.onmessage?.(message, extra);
  }

  cancel(requestId: JsonRpcId, reason: string | undefined): boolean {
    const inbound = [...this.#inbound.values()].find(({ request }) => request.id === requestId);
    if (!inbound || inbound.request.method === 'initialize') return false;
    const { serverId } = inbound;
    this.#inbound.delete(serverId);
    // The handler may go on for a while although nobody wants its result: such a server is not lent again.
    this.#clean = false;
    const params = { requestId: serverId, ...(reason !== undefined && { reason }) };
    this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, this.#options.extra);
    // The SDK's handlers react in microtasks, and a server that cancels its own requests then should be the one to do so.
    setImmediate(() => void this.#finishCancelled(serverId));
    return true;
  }

  async #finishCancelled(serverId: JsonRpcId): Promise<void> {
    try {
      await this.#asked.abandon(serverId);
      await this.#options.outlet.unanswered();
    } catch (error) {
      this.#fail(error);
    }
    this.#endWhenIdle();
  }

  setLevel(level: string): void {
    this.#level = level;
  }

  abort(refusal: Refusal = 'gone'): void {
    if (this.#closed) return;
    this.#clean = this.#inbound.size === 0;
    this.#options.outlet.abandon(refusal);
    this.end();
  }

  relinquish(): void {
    this.#clean = false;
    this.end();
  }

  /** Ends the exchange: the server is closed (or given back) and whatever it still says is dropped. Idempotent. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.hub.removeExchange(this);
    this.#options.onEnd(this.#clean && this.#asked.size === 0);
  }

  // ---- from the server's side: the SDKs' transport ----

  async start(): Promise<void> {}

  async close(): Promise<void> {
    // The server closed itself, or `end` had it closed: both sides have to know, each once.
    const { onclose } = this;
    this.onclose = undefined;
    onclose?.();
    if (!this.#closed) await this.#answerLeftovers();
    this.end();
  }

  /** A server that closes itself leaves clients that wait: they are told. */
  async #answerLeftovers(): Promise<void> {
    const left = [...this.#inbound.values()];
    this.#inbound.clear();
    for (const { request } of left) {
      const closed = errorResponse(request.id, ErrorCode.InternalError, 'The server closed before it answered');
      await this.#options.outlet.result(closed).catch((error) => this.#fail(error));
    }
  }

  async send(message: JsonRpcMessage, options?: { relatedRequestId?: JsonRpcId }): Promise<void> {
    if (this.#closed) return;
    if (isResponse(message) && message.id === HYDRATION_ID) {
      this.#hydrated?.(message);
      return;
    }
    // A handler of an earlier exchange that goes on after its answer, or code that belongs to none: what a lent server says
    // then is not for the client that it serves now.
    if (!isResponse(message) && this.#options.isOwn?.() === false) {
      this.#options.logger.debug({ method: message.method }, 'exchange: said by nobody it serves');
      if (isRequest(message)) throw new Error('the exchange that asks is over');
      return;
    }
    try {
      if (isResponse(message)) await this.#answer(message);
      else if (isRequest(message)) {
        // From the first question on, answers have to find this exchange.
        this.#options.hub.nameExchange(this);
        await this.#asked.ask(message, this.#relatedTo(options?.relatedRequestId));
      } else await this.#notify(message, options?.relatedRequestId);
    } catch (error) {
      // What a handler says that is no JSON is its own fault: it is told, and the call goes on.
      if (error instanceof TypeError && !isResponse(message)) throw error;
      this.#fail(error);
    }
  }

  async #answer(response: JsonRpcResponse): Promise<void> {
    const inbound = this.#inbound.get(response.id);
    if (!inbound) return;
    this.#inbound.delete(inbound.serverId);
    const { request } = inbound;
    const { outlet, effects } = this.#options;
    await this.#asked.abandon(inbound.serverId);
    try {
      const answer = { ...response, id: request.id } as JsonRpcResponse;
      await outlet.result(await effects.apply(request, answer, this.#serverCapabilities));
    } catch (error) {
      if (error instanceof SessionGone) await outlet.refuse(request, 'gone');
      else if (error instanceof StoreUnavailable) await outlet.refuse(request, 'unavailable');
      else throw error;
    }
    this.#endWhenIdle();
  }

  async #notify(message: JsonRpcNotification, relatedRequestId: JsonRpcId | undefined): Promise<void> {
    const { outlet } = this.#options;
    if (OF_THE_SESSION.has(message.method)) return outlet.unrelated(message);
    if (message.method === 'notifications/message' && !isLogged(message.params?.level, this.#level)) return;
    if (message.method === 'notifications/cancelled') return this.#asked.withdraw(message);
    const related = this.#relatedTo(relatedRequestId) !== undefined;
    // Progress on a request that has been answered has no stream any more.
    if (!related && message.method === 'notifications/progress') return;
    return related ? outlet.related(message) : outlet.unrelated(message);
  }

  /**
   * The request a message belongs to. Both SDKs send some messages without saying so (`elicitInput`,
   * `sendLoggingMessage`); with one request being served it can only be that one.
   */
  #relatedTo(relatedRequestId: JsonRpcId | undefined): JsonRpcId | undefined {
    if (relatedRequestId !== undefined) return this.#inbound.has(relatedRequestId) ? relatedRequestId : undefined;
    return this.#inbound.keys().next().value;
  }

  /**
   * Not at once: the SDKs clear up after they have sent an answer, and a server that is closed before that aborts the
   * handler that has just finished.
   */
  #endWhenIdle(): void {
    if (this.#inbound.size === 0) setImmediate(() => this.end());
  }

  #fail(error: unknown): void {
    if (error instanceof StreamLost) {
      if (error.reason === 'unavailable') this.#options.logger.error({ error }, 'exchange: the log cannot be written');
      this.abort(error.reason);
      return;
    }
    this.#options.logger.error({ error }, 'exchange: output failed');
    this.abort('unavailable');
  }
}
