/**
 * The legacy era: what is done with the messages of a session, whichever door they came through.
 *
 * Every request loads its session from the store, gets a server brought to the session's state, and leaves nothing
 * behind in the process.
 *
 * Not here: statuses, headers and authentication (http/), the exchange itself (exchange.ts), opening a session
 * (session-opening.ts), streams (session-streams.ts).
 */
import type { ChangeFeed } from '../core/change-feed.js';
import type { Hub } from '../core/hub.js';
import { Portions } from '../core/in-portions.js';
import { ErrorCode, errorResponse, isRequest, type JsonRpcMessage, type JsonRpcRequest } from '../core/jsonrpc.js';
import { Recent } from '../core/limits/recent.js';
import type { StateLimits, StateTooLarge } from '../core/limits/state-size.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { CallName } from '../core/ports/call-journal.js';
import { MAIN_STREAM } from '../core/ports/event-log.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import type { Store } from '../core/ports/store.js';
import { newStreamId } from '../core/random-id.js';
import type { Relay } from '../core/relay.js';
import type { RequestTrail } from '../core/request-trail.js';
import { hasPrimingEvent } from '../core/revisions.js';
import {
  type AuthInfo,
  type Notify,
  type ServerContext,
  SessionGone,
  type SessionState,
} from '../core/server-context.js';
import { StreamWriter } from '../core/stream-writer.js';
import type { TraceContext } from '../core/trace-context.js';
import { failures, type Span, startClientSpan, startServerSpan, type Tracing } from '../core/tracing.js';
import { currentExchange, enterExchange } from './current-exchange.js';
import { Exchange } from './exchange.js';
import type { FixedLists } from './fixed-lists.js';
import { formatCall } from './journaled-call.js';
import { createMainOutlet, type WriteMain } from './main-outlet.js';
import { Notices } from './notices.js';
import type { Outlet, PostReply } from './outlet.js';
import { PostOutlet, type PostOutletContext } from './post-outlet.js';
import type { RequestStates } from './request-states.js';
import { RunningCalls } from './running-calls.js';
import type { Seat } from './seat.js';
import type { ServerSource } from './server-source.js';
import { createSessionEffects, type SessionEffects } from './session-effects.js';
import { createSessionState } from './session-state.js';

/** How long a store that is away is waited for by a call that has a result to store. */
const PATIENCE_MS = 60_000;
export interface LegacyEraOptions {
  readonly nodeId: string;
  readonly nodeToken: string;
  readonly store: Store;
  readonly hub: Hub;
  readonly feed: ChangeFeed;
  readonly relay: Relay;
  readonly servers: ServerSource;
  readonly notify: Notify;
  readonly states: RequestStates;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly logger: Logger;
  /** Where the module's lists are the same for all. */
  readonly fixedLists?: FixedLists;
  readonly streamUpgradeMs: number;
  /** Calls of one session that run at a time; 0: any number. */
  readonly maxCallsPerSession: number;
  readonly stateLimits: StateLimits;
}

/** Main streams that read the store at the same time, however many have something to catch up on. */
const READINGS_AT_ONCE = 100;

/** Who asks, and what handlers are told of the HTTP request. */
export interface Caller {
  readonly principal: string;
  readonly authInfo: AuthInfo | undefined;
  /** `requestInfo`, `request` and the like, as the SDKs name them. */
  readonly http: object;
  /** Called where requests are refused on a stream, since the token is not good for them. */
  readonly onForbidden?: () => void;
  /** Absent for a call that was taken over. */
  readonly trail?: RequestTrail;
}

/** What a span tells of a session. */
type SpanSession = Pick<SessionRecord, 'sessionId' | 'protocolVersion'>;

interface RunOptions {
  readonly effects?: SessionEffects;
  /** Called once, when the requests are over. */
  readonly leave?: () => void;
  readonly spans?: readonly (Span | undefined)[];
}

export class LegacyEra {
  readonly options: LegacyEraOptions;
  readonly #posts: PostOutletContext;
  readonly #notices: Notices;
  readonly #running: RunningCalls;
  /** Of main streams that are behind. */
  readonly readings = new Portions(READINGS_AT_ONCE);
  /** Pools of sessions that somebody was refused a place in. */
  readonly crowded = new Recent();

  constructor(options: LegacyEraOptions) {
    this.options = options;
    this.#running = new RunningCalls(options.maxCallsPerSession);
    const { store, logger, metrics, nodeToken, hub } = options;
    this.#posts = {
      tails: { log: store.log, logger, metrics, nodeToken },
      hub,
      calls: store.calls,
      upgrades: PostOutlet.upgradeQueue(options.streamUpgradeMs),
      patienceMs: PATIENCE_MS,
    };
    this.#notices = new Notices(this);
  }

  /** Serves the requests of a POST; the answer goes to `reply`. Notifications in a batch are accepted before. @throws TooManyCalls */
  serve(
    session: SessionRecord,
    requests: readonly JsonRpcRequest[],
    caller: Caller,
    reply: PostReply,
    batch: boolean,
  ): void | Promise<void> {
    const { fixedLists } = this.options;
    const [first] = requests as [JsonRpcRequest];
    if (batch || !fixedLists?.concerns(first)) return this.#serve(session, requests, caller, reply, batch);
    return fixedLists.answer(session.protocolVersion, first).then((known) => {
      if (known === undefined) return this.#serve(session, requests, caller, reply, batch, fixedLists);
      this.span(session, first, caller)?.end();
      return reply.json(known);
    });
  }

  #serve(
    session: SessionRecord,
    requests: readonly JsonRpcRequest[],
    caller: Caller,
    reply: PostReply,
    batch: boolean,
    lists?: FixedLists,
  ): void | Promise<void> {
    const { protocolVersion } = session;
    const leave = this.#running.enter(session, requests.length);
    const spans = this.spans(session, requests, caller);
    const outlet = new PostOutlet(this.#posts, {
      sessionId: session.sessionId,
      reply,
      expected: requests.length,
      batch,
      primes: hasPrimingEvent(protocolVersion),
      writeMain: this.writeMain(session.sessionId),
      journal: () => formatCall(requests, caller, false, spans[0]?.context),
    });
    const own = this.effects(session.sessionId);
    const effects = lists?.keeping(protocolVersion, own) ?? own;
    return this.run(session, requests, caller, outlet, { effects, leave, spans });
  }

  /**
   * Takes requests over whose answers go onto the session's main stream. When this resolves they are journaled, so that
   * they may be acknowledged; the function it returns serves them.
   * @throws SessionGone, StoreUnavailable, TooManyCalls
   */
  async takeOntoMain(
    session: SessionRecord,
    requests: readonly JsonRpcRequest[],
    caller: Caller,
    effects: SessionEffects = this.effects(session.sessionId),
  ): Promise<() => Promise<void>> {
    const { store, nodeToken } = this.options;
    const { sessionId } = session;
    const name = { sessionId, callId: newStreamId() };
    const leave = this.#running.enter(session, requests.length);
    const spans = this.spans(session, requests, caller);
    try {
      // Both at once, the list first: a place that stood alone for long might be found to name nothing, and be removed.
      const listed = store.calls.list(nodeToken, name);
      const entered = store.calls.enter(name, nodeToken, formatCall(requests, caller, true, spans[0]?.context));
      if (!(await Promise.all([entered, listed]))[0]) throw new SessionGone('the session has ended');
    } catch (error) {
      leave();
      for (const span of spans) span?.end({ type: (error as Error).name });
      throw error;
    }
    const write = this.writeMain(sessionId, { callId: name.callId, owner: nodeToken });
    const outlet = createMainOutlet(write, requests.length, {
      callId: name.callId,
      onOver: () => this.unlist(name),
      onDropped: () => this.drop(name),
    });
    return async () => this.run(session, requests, caller, outlet, { effects, leave, spans });
  }

  /** A call that is over without an answer. One that stays in the journal by a failure here ends with its session. */
  drop(name: CallName): void {
    this.options.store.calls.drop(name, this.options.nodeToken).catch(() => undefined);
  }

  /** A place that stays in the list by a failure here is found empty by whoever looks at it. */
  unlist(name: CallName): void {
    this.options.store.calls.unlist(this.options.nodeToken, name).catch(() => undefined);
  }

  /**
   * Takes over a message that gets no answer. Resolves when what it carries is stored, or known to be unwanted.
   * @throws SessionGone, StoreUnavailable
   */
  accept(session: SessionRecord, message: JsonRpcMessage, caller: Caller): Promise<void> {
    return this.#notices.accept(session, message, caller);
  }

  /** A span for each request, in their order; undefined where nothing is traced. `before`: where a lost node had it. */
  spans(
    session: SpanSession,
    requests: readonly JsonRpcRequest[],
    caller: Caller,
    before?: TraceContext,
  ): (Span | undefined)[] {
    return requests.map((request) => this.span(session, request, caller, before));
  }

  span(session: SpanSession, message: JsonRpcMessage, { trail }: Caller, before?: TraceContext): Span | undefined {
    const { nodeId, tracing } = this.options;
    const { sessionId, protocolVersion: revision } = session;
    const span = startServerSpan(tracing, message, { nodeId, sessionId, revision, ambient: trail?.ambient, before });
    if (span) trail?.joined(span.context);
    return span;
  }

  /**
   * Runs requests in a server brought to the session's state. A promise only where a server has to be waited for.
   * @throws ScopesLacking
   */
  run(
    session: SessionRecord,
    requests: readonly JsonRpcRequest[],
    caller: Caller,
    outlet: Outlet,
    options: RunOptions = {},
  ): void | Promise<void> {
    const context = () => this.contextFor(session, caller);
    const {
      effects = this.effects(session.sessionId),
      leave = () => {},
      spans = this.spans(session, requests, caller),
    } = options;
    const serve = (exchange: Exchange): void | Promise<void> => exchange.serve(requests, spans, caller.authInfo);
    const exchange = this.exchange(session, context, caller, outlet, effects, { onOver: leave });
    if (!(exchange instanceof Promise)) return serve(exchange);
    const noServer = async (error: unknown): Promise<void> => {
      leave();
      // A factory that throws must not leave its clients waiting.
      this.options.logger.error({ error, ...caller.trail?.ids() }, 'exchange: no server');
      for (const span of spans) span?.end(failures.internal);
      for (const { id } of requests) await outlet.result(errorResponse(id, ErrorCode.InternalError, 'Internal error'));
    };
    return exchange.then(serve, noServer);
  }

  /** What the factory is given for requests of a session. */
  contextFor({ sessionId }: Pick<SessionRecord, 'sessionId'>, caller: Caller): ServerContext {
    return this.context(sessionId, this.state(sessionId), caller);
  }

  context(sessionId: string, session: SessionState, { authInfo, principal }: Caller): ServerContext {
    const { nodeId, notify, states } = this.options;
    // In this era a state never leaves the node that serves the call; the session is all there is to bind it to.
    const requestState = states.codec({ principal, purpose: `session ${sessionId}` });
    return { era: 'legacy', nodeId, sessionId, session, notify, requestState, ...(authInfo && { authInfo }) };
  }

  /**
   * An exchange whose server is in the session's state, ready for its messages; not a promise where such a server was idle.
   * `opens`: they begin with `initialize`.
   */
  exchange(
    session: Pick<SessionRecord, 'sessionId' | 'initialize' | 'logLevel' | 'protocolVersion'>,
    context: () => ServerContext,
    caller: Caller,
    outlet: Outlet,
    effects: SessionEffects,
    { opens = false, onOver = () => {} }: { readonly opens?: boolean; readonly onOver?: () => void } = {},
  ): Exchange | Promise<Exchange> {
    const { servers } = this.options;
    const { initialize } = session;
    const seat = servers.acquire(context, { initialize, opens, onError: this.#onServerError });
    const begin = (ready: Seat): Exchange => {
      if (!opens && initialize !== '') this.options.metrics.sessionRestored();
      return this.#begin(session, context, caller, outlet, effects, ready, onOver);
    };
    return seat instanceof Promise ? seat.then(begin) : begin(seat);
  }

  #begin(
    session: Pick<SessionRecord, 'sessionId' | 'initialize' | 'logLevel' | 'protocolVersion'>,
    context: () => ServerContext,
    caller: Caller,
    outlet: Outlet,
    effects: SessionEffects,
    seat: Seat,
    onOver: () => void,
  ): Exchange {
    const { servers, hub, logger, nodeId, nodeToken, tracing } = this.options;
    const { sessionId, protocolVersion: revision } = session;
    const { http, authInfo, trail } = caller;
    const followed = servers.reusable && !servers.quiet ? context() : undefined;
    return new Exchange({
      session,
      seat,
      nodeToken,
      hub,
      logger,
      outlet,
      effects,
      extra: { ...http, ...(authInfo && { authInfo }), closeSSEStream: () => outlet.closeStream() },
      question: (request, parent) => startClientSpan(tracing, request, { nodeId, sessionId, revision }, parent),
      ...(trail && { ids: () => trail.ids() }),
      onForbidden: caller.onForbidden,
      ...(followed && {
        enter: (deliver: () => void) => enterExchange(followed, deliver),
        isOwn: () => currentExchange() === followed,
      }),
      onEnd: (clean) => {
        onOver();
        servers.release(seat, clean).catch((error: Error) => logger.warn({ error }, 'exchange: server not closed'));
      },
    });
  }

  readonly #onServerError = (error: Error): void => this.options.logger.debug({ error }, 'exchange: server reports');

  /** Writes onto the session's main stream, in order; for a call, only while this node owns it. */
  writeMain(sessionId: string, call?: { readonly callId: string; readonly owner: string }): WriteMain {
    const { store, hub } = this.options;
    let writer: StreamWriter | undefined;
    return (message, { finish = false } = {}) => {
      writer ??= new StreamWriter({
        log: store.log,
        sessionId,
        streamId: MAIN_STREAM,
        ...(call && { call }),
        patienceMs: PATIENCE_MS,
        onStored: (outcome) => hub.appended(sessionId, MAIN_STREAM, outcome),
      });
      return writer.append(typeof message === 'string' ? message : JSON.stringify(message), { finish });
    };
  }

  stop(): void {
    this.#posts.upgrades.clear();
    this.#notices.stop();
  }

  /** The session's own state, as handlers see it. */
  state(sessionId: string): SessionState {
    return createSessionState(this.options.store.sessions, sessionId, this.onStateRefused);
  }

  readonly onStateRefused = (of: StateTooLarge['of']): void => this.options.metrics.refused(`state_${of}`);

  effects(sessionId: string): SessionEffects {
    const { store, feed } = this.options;
    return createSessionEffects(sessionId, store.sessions, store.broker, feed);
  }
}

export function requestsOf(messages: readonly JsonRpcMessage[]): JsonRpcRequest[] {
  return messages.filter(isRequest);
}
