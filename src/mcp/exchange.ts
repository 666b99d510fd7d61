/**
 * An exchange: one POST, served by a server that was built (or lent) for it alone.
 *
 * It takes its place at the server's transport; on the other side it knows the session, the node and the outlet. It gives
 * the server's requests ids that say where their answers go, binds messages to the request they belong to, and ends when
 * every request has been answered.
 *
 * Not here: HTTP (http/), bringing the server to the session's state (seat.ts), the form of the answer (post-outlet.ts,
 * main-outlet.ts), what results change in the session (session-effects.ts).
 */
import type { Hub, OpenExchange } from '../core/hub.js';
import {
  ErrorCode,
  errorResponse,
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
import { type AuthInfo, SessionGone } from '../core/server-context.js';
import { StreamLost } from '../core/stream-writer.js';
import type { TraceContext } from '../core/trace-context.js';
import { failureOf, failures, type Span } from '../core/tracing.js';
import { formatWireId } from '../core/wire-id.js';
import type { Outlet, Refusal } from './outlet.js';
import { findChallenge, type ScopeChallenge, ScopesLacking, scopesLacking } from './scope-challenge.js';
import { SENT, type Seat, type Seated } from './seat.js';
import { ServerRequests } from './server-requests.js';
import type { SessionEffects } from './session-effects.js';

/** Notifications that concern the session as a whole, whatever request happens to be served when they are sent. */
const OF_THE_SESSION = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/elicitation/complete',
]);

const OVER = 'the exchange that asks is over, or not known';

/** Notifications that a handler may have said before the first of them is stored. */
const FARTHEST_AHEAD = 32;

export interface ExchangeSession {
  readonly sessionId: string;
  readonly initialize: string;
  readonly logLevel: string;
}

export interface ExchangeOptions {
  readonly session: ExchangeSession;
  /** Where the server is connected, in the session's state. */
  readonly seat: Seat;
  readonly nodeToken: string;
  readonly hub: Hub;
  readonly logger: Logger;
  readonly outlet: Outlet;
  readonly effects: SessionEffects;
  /** What handlers are told of the HTTP request (authentication, headers). */
  readonly extra: object;
  /** Runs a delivery so that handlers can ask for the current exchange; unset where nobody will. */
  readonly enter?: (deliver: () => void) => void;
  /** Begins a span for a request of the server; `parent`: the request it is sent for. */
  readonly question?: (request: JsonRpcRequest, parent: TraceContext | undefined) => Span | undefined;
  /** Ids for log lines. */
  readonly ids?: () => object;
  /** Whether the running code was called by this exchange; unset where that is not followed. */
  readonly isOwn?: () => boolean;
  /** Called where requests are refused on a stream, since their caller's token is not good for them. */
  readonly onForbidden?: (() => void) | undefined;
  /** Called once, when the server is not needed any more. `clean`: no handler was still running. */
  readonly onEnd: (clean: boolean) => void;
}

interface Inbound {
  readonly request: JsonRpcRequest;
  readonly serverId: JsonRpcId;
  readonly span: Span | undefined;
}

export class Exchange implements OpenExchange, Seated {
  readonly sessionId: string;
  readonly #options: ExchangeOptions;
  readonly #seat: Seat;
  readonly #inbound = new Map<JsonRpcId, Inbound>();
  readonly #asked: ServerRequests;
  /** Made when the server asks the client something for the first time; most exchanges never do. */
  #id: string | undefined;
  #level: string;
  #unstored = 0;
  #closed = false;
  #clean = true;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.sessionId = options.session.sessionId;
    this.#level = options.session.logLevel;
    const { nodeToken, outlet, hub, seat } = options;
    this.#seat = seat;
    seat.seated = this;
    hub.addExchange(this);
    this.#asked = new ServerRequests(outlet, (number, trace) =>
      formatWireId({ nodeToken, exchangeId: this.id, number, trace }),
    );
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

  /**
   * Delivers the requests of one POST, if the server lets their caller have all of them. A promise only where the server has
   * something to say about that. While it makes up its mind they are being served: they can be cancelled, and are answered or
   * left to others like any when the exchange ends.
   * @throws ScopesLacking where nothing was written yet
   */
  serve(
    requests: readonly JsonRpcRequest[],
    spans: readonly (Span | undefined)[],
    authInfo: AuthInfo | undefined,
  ): void | Promise<void> {
    const { scopeResolver } = this.#seat;
    if (!scopeResolver) {
      for (let i = 0; i < requests.length; i += 1) this.deliver(requests[i] as JsonRpcRequest, spans[i]);
      return;
    }
    // Registered before the server is asked: it may say something to its client at once, or close.
    const all = requests.map((request, i) => this.#register(request, spans[i]));
    const challenge = this.#within(() => findChallenge(scopeResolver, requests, authInfo));
    if (!challenge) this.#deliverAll(this.#waiting(all));
    for (const { id } of requests) this.#cancelIfTold(id);
    if (challenge) return this.#serveUnless(challenge, all);
  }

  /** Those that were neither cancelled nor answered by the end of the exchange. */
  #waiting(all: readonly Inbound[]): readonly Inbound[] {
    return this.#closed ? [] : all.filter((inbound) => this.#inbound.get(inbound.serverId) === inbound);
  }

  #deliverAll(waiting: readonly Inbound[]): void {
    for (const inbound of waiting) this.#toServer(asDelivered(inbound), inbound.span);
  }

  async #serveUnless(challenge: Promise<ScopeChallenge | undefined>, all: readonly Inbound[]): Promise<void> {
    const lacking = await challenge.catch((error: unknown) => {
      this.#logError(error, 'exchange: what a request needs cannot be told');
      return 'unknown' as const;
    });
    const waiting = this.#waiting(all);
    if (waiting.length === 0) return;
    if (lacking === undefined) return this.#deliverAll(waiting);
    const refused = lacking === 'unknown' ? failures.internal : failures.forbidden;
    for (const { serverId, span } of waiting) {
      this.#inbound.delete(serverId);
      span?.end(refused);
    }
    if (lacking !== 'unknown' && this.#options.outlet.forbid?.()) {
      this.end();
      throw new ScopesLacking(lacking);
    }
    if (lacking !== 'unknown') this.#options.onForbidden?.();
    for (const { request } of waiting) {
      const answer =
        lacking === 'unknown'
          ? errorResponse(request.id, ErrorCode.InternalError, 'Internal error')
          : scopesLacking(request.id, lacking);
      await this.#told(answer, (error) => this.#fail(error));
    }
    this.#endWhenIdle();
  }

  #within<T>(run: () => T): T {
    const { enter } = this.#options;
    if (!enter) return run();
    let result: { readonly value: T } | undefined;
    enter(() => {
      result = { value: run() };
    });
    return (result as unknown as { readonly value: T }).value;
  }

  /** The span of a request ends with it; that of a notification is its sender's to end. */
  deliver(message: JsonRpcRequest | JsonRpcNotification, span?: Span): void {
    if (this.#closed) {
      span?.end(failures.abandoned);
      return;
    }
    if (!isRequest(message)) {
      // Handlers of notifications do not say when they are done, so nobody else gets this server.
      this.#clean = false;
      this.#toServer(message, span);
      return;
    }
    this.#toServer(asDelivered(this.#register(message, span)), span);
    this.#cancelIfTold(message.id);
  }

  #register(request: JsonRpcRequest, span: Span | undefined): Inbound {
    const inbound = { request, serverId: this.#serverId(request.id), span };
    this.#inbound.set(inbound.serverId, inbound);
    return inbound;
  }

  /** Word of it may have been here before the request. */
  #cancelIfTold(id: JsonRpcId): void {
    if (this.#options.hub.wasCancelled(this.sessionId, id)) this.cancel(id, undefined);
  }

  /**
   * The id the server sees. It is the client's own, but for servers that are lent, for ids that the first SDK line takes
   * for absent (0 and the empty string cannot be cancelled there) and for a second one in a batch.
   */
  #serverId(id: JsonRpcId): JsonRpcId {
    const seat = this.#seat;
    return seat.lent || id === 0 || id === '' || this.#inbound.has(id) ? seat.nextId() : id;
  }

  receive(number: number, message: JsonRpcMessage): boolean {
    const forServer = this.#closed ? undefined : this.#asked.receive(number, message);
    if (forServer) this.#toServer(forServer);
    return forServer !== undefined;
  }

  #toServer(message: JsonRpcMessage, span?: Span): void {
    const { enter, extra } = this.#options;
    if (span) span.run(() => this.#toServer(message));
    else if (enter) enter(() => this.#seat.onmessage?.(message, extra));
    else this.#seat.onmessage?.(message, extra);
  }

  cancel(requestId: JsonRpcId, reason: string | undefined): boolean {
    const inbound = [...this.#inbound.values()].find(({ request }) => request.id === requestId);
    if (!inbound || inbound.request.method === 'initialize') return false;
    const { serverId } = inbound;
    this.#inbound.delete(serverId);
    inbound.span?.end(failures.cancelled);
    // The handler may go on for a while although nobody wants its result: such a server is not lent again.
    this.#clean = false;
    const params = { requestId: serverId, ...(reason !== undefined && { reason }) };
    this.#seat.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, this.#options.extra);
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

  /** The server has been told what no other session may find in it. */
  keepServerFromOthers(): void {
    this.#clean = false;
  }

  abort(refusal: Refusal = 'gone'): void {
    if (this.#closed) return;
    this.#clean = this.#inbound.size === 0;
    this.#options.outlet.abandon(refusal);
    this.end();
  }

  relinquish(): void {
    this.#clean = false;
    const { outlet } = this.#options;
    if (outlet.leave?.() === false) {
      const data = { retryable: true, reason: 'node_lost' };
      for (const { request } of this.#inbound.values()) {
        const error = errorResponse(request.id, ErrorCode.InternalError, 'The node that ran this request left', data);
        void this.#told(error);
      }
    }
    this.end();
  }

  /** Ends the exchange: the server is closed (or given back) and whatever it still says is dropped. Idempotent. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { span } of this.#inbound.values()) span?.end(failures.abandoned);
    this.#asked.end();
    this.#seat.seated = undefined;
    this.#options.hub.removeExchange(this);
    this.#options.onEnd(this.#clean && this.#asked.size === 0);
  }

  // ---- from the server's side ----

  async serverClosed(): Promise<void> {
    // What it was doing may go on, and must not meet somebody else's request.
    if (this.#inbound.size > 0) this.#clean = false;
    if (!this.#closed) await this.#answerLeftovers();
    this.end();
  }

  /** A server that closes itself leaves clients that wait: they are told. */
  async #answerLeftovers(): Promise<void> {
    const left = [...this.#inbound.values()];
    this.#inbound.clear();
    for (const { request, span } of left) {
      span?.end(failures.abandoned);
      const closed = errorResponse(request.id, ErrorCode.InternalError, 'The server closed before it answered');
      await this.#told(closed, (error) => this.#fail(error));
    }
  }

  /** An answer that no handler gave. */
  async #told(answer: JsonRpcResponse, onError: (error: unknown) => void = () => {}): Promise<void> {
    try {
      await this.#options.outlet.result(answer);
    } catch (error) {
      onError(error);
    }
  }

  /** No layer of promises for answers: nearly all of them are one body, and gone when this returns. */
  send(message: JsonRpcMessage, options?: { relatedRequestId?: JsonRpcId }): Promise<void> {
    if (this.#closed) return SENT;
    if (!isResponse(message)) return this.#say(message, options);
    try {
      return this.#answer(message)?.catch((error) => this.#fail(error)) ?? SENT;
    } catch (error) {
      this.#fail(error);
      return SENT;
    }
  }

  async #say(message: JsonRpcRequest | JsonRpcNotification, options?: { relatedRequestId?: JsonRpcId }): Promise<void> {
    // A handler of an earlier exchange that goes on after its answer, or code that belongs to none: what a lent server says
    // then is not for the client that it serves now.
    if (this.#seat.lent && !this.#isOwn(options?.relatedRequestId)) {
      this.#options.logger.debug({ method: message.method }, 'exchange: said by nobody it serves');
      if (isRequest(message))
        throw new Error(this.#options.isOwn ? OVER : `${OVER}; { relatedRequestId } says whose it is`);
      return;
    }
    try {
      if (isRequest(message)) {
        // From the first question on, answers have to find this exchange.
        this.#options.hub.nameExchange(this);
        const relatedTo = this.#relatedTo(options?.relatedRequestId);
        const asking = relatedTo === undefined ? undefined : this.#inbound.get(relatedTo)?.span?.context;
        await this.#asked.ask(message, relatedTo, this.#options.question?.(message, asking));
      } else await this.#notify(message, options?.relatedRequestId);
    } catch (error) {
      // What a handler says that is no JSON is its own fault: it is told, and the call goes on.
      if (error instanceof TypeError) throw error;
      this.#fail(error);
    }
  }

  /** Of a server that is lent: whether what it says is known to be said for this exchange. */
  #isOwn(relatedRequestId: JsonRpcId | undefined): boolean {
    const { isOwn } = this.#options;
    // The ids that a lent server sees never come twice.
    return isOwn ? isOwn() : relatedRequestId !== undefined && this.#inbound.has(relatedRequestId);
  }

  /** A promise only where something has to be stored first. */
  #answer(response: JsonRpcResponse): undefined | Promise<void> {
    const inbound = this.#inbound.get(response.id);
    if (!inbound) return undefined;
    this.#inbound.delete(inbound.serverId);
    const { request } = inbound;
    // Servers note the level for themselves, too, and it would filter what another session asked for.
    if (request.method === 'logging/setLevel') this.#clean = false;
    const answer = { ...response, id: request.id } as JsonRpcResponse;
    if (request.method === 'initialize') this.#seat.learn(answer);
    const { outlet, effects } = this.#options;
    const apply = () => effects.apply(request, answer, this.#seat.capabilities);
    const applied = this.#asked.size > 0 ? this.#asked.abandon(inbound.serverId).then(apply) : apply();
    const sent = applied instanceof Promise ? applied.then((last) => outlet.result(last)) : outlet.result(applied);
    if (sent) return this.#untilStored(inbound, answer, sent);
    inbound.span?.end(failureOf(answer));
    this.#endWhenIdle();
    return undefined;
  }

  async #untilStored({ request, span }: Inbound, answer: JsonRpcResponse, stored: Promise<void>): Promise<void> {
    const { outlet } = this.#options;
    try {
      await stored;
      span?.end(failureOf(answer));
    } catch (error) {
      span?.end(failures.abandoned);
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
    await this.#ahead(related ? outlet.related(message) : outlet.unrelated(message));
  }

  /**
   * Handlers need not wait for each notification to be stored: what they say meanwhile goes with the next write, in
   * order, and the client still gets nothing that is not stored. They wait when they are too far ahead of the store.
   */
  async #ahead(stored: Promise<void>): Promise<void> {
    this.#unstored += 1;
    const done = stored
      .catch((error) => {
        // What cannot be written as JSON is told to the handler, below.
        if (!(error instanceof TypeError)) this.#fail(error);
      })
      .finally(() => {
        this.#unstored -= 1;
      });
    // A message that is no JSON has failed by now, with the first to settle.
    await Promise.race([stored, undefined]);
    if (this.#unstored >= FARTHEST_AHEAD) await done;
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
   * handler that has just finished. And the next request of a batch may only be on its way: what a server does not know is
   * answered while it is being delivered.
   */
  #endWhenIdle(): void {
    if (this.#inbound.size > 0) return;
    setImmediate(() => {
      if (this.#inbound.size === 0) this.end();
    });
  }

  #fail(error: unknown): void {
    if (error instanceof StreamLost) {
      if (error.reason === 'unavailable') this.#logError(error, 'exchange: the log cannot be written');
      this.abort(error.reason);
      return;
    }
    this.#logError(error, 'exchange: output failed');
    this.abort('unavailable');
  }

  #logError(error: unknown, what: string): void {
    this.#options.logger.error({ error, ...this.#options.ids?.() }, what);
  }
}

/** With the id that the server sees. */
function asDelivered({ request, serverId }: Inbound): JsonRpcRequest {
  return serverId === request.id ? request : { ...request, id: serverId };
}
