/**
 * The legacy era: what is done with the messages of a session, whichever door they came through.
 *
 * Every request loads its session from the store, gets a server brought to the session's state, and leaves nothing
 * behind in the process.
 *
 * Not here: statuses, headers and authentication (http/), the exchange itself (exchange.ts), opening a session
 * (session-opening.ts), streams (session-streams.ts).
 */
import { DelayQueue } from '../core/delay-queue.js';
import type { Hub } from '../core/hub.js';
import {
  ErrorCode,
  errorResponse,
  isId,
  isRequest,
  isResponse,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
} from '../core/jsonrpc.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { CallName } from '../core/ports/call-journal.js';
import { MAIN_STREAM } from '../core/ports/event-log.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import type { Store } from '../core/ports/store.js';
import { newStreamId } from '../core/random-id.js';
import type { Relay } from '../core/relay.js';
import { hasPrimingEvent } from '../core/revisions.js';
import {
  type AuthInfo,
  type Notify,
  type ServerContext,
  SessionGone,
  type SessionState,
} from '../core/server-context.js';
import { StreamWriter } from '../core/stream-writer.js';
import { currentExchange, enterExchange } from './current-exchange.js';
import { Exchange } from './exchange.js';
import { formatCall } from './journaled-call.js';
import { createMainOutlet, type WriteMain } from './main-outlet.js';
import type { Outlet, PostReply } from './outlet.js';
import { PostOutlet, type PostOutletContext } from './post-outlet.js';
import type { RequestStates } from './request-states.js';
import type { ServerSource } from './server-source.js';
import { createSessionEffects, type SessionEffects } from './session-effects.js';
import { createSessionState } from './session-state.js';

/** How long a store that is away is waited for by a call that has a result to store. */
const PATIENCE_MS = 60_000;
/**
 * A notification's handlers do not say when they are done. Their server stays connected this long after the last sign
 * of them, and for as long as it waits for the client.
 */
const LINGER_MS = 1000;

export interface LegacyEraOptions {
  readonly nodeId: string;
  readonly nodeToken: string;
  readonly store: Store;
  readonly hub: Hub;
  readonly relay: Relay;
  readonly servers: ServerSource;
  readonly notify: Notify;
  readonly states: RequestStates;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly streamUpgradeMs: number;
}

/** Who asks, and what handlers are told of the HTTP request. */
export interface Caller {
  readonly principal: string;
  readonly authInfo: AuthInfo | undefined;
  /** `requestInfo`, `request` and the like, as the SDKs name them. */
  readonly http: object;
}

export class LegacyEra {
  readonly options: LegacyEraOptions;
  readonly #posts: PostOutletContext;
  readonly #lingering: DelayQueue<Exchange>;

  constructor(options: LegacyEraOptions) {
    this.options = options;
    const { store, logger, metrics, nodeToken, hub } = options;
    this.#posts = {
      tails: { log: store.log, logger, metrics, nodeToken },
      hub,
      calls: store.calls,
      upgrades: PostOutlet.upgradeQueue(options.streamUpgradeMs),
      patienceMs: PATIENCE_MS,
    };
    this.#lingering = new DelayQueue(LINGER_MS, (exchange) => {
      if (exchange.closed) return;
      if (exchange.waiting) this.#lingering.add(exchange);
      else exchange.end();
    });
  }

  /** Serves the requests of a POST; the answer goes to `reply`. Notifications in a batch are accepted before. */
  async serve(
    session: SessionRecord,
    requests: readonly JsonRpcRequest[],
    caller: Caller,
    reply: PostReply,
    batch: boolean,
  ): Promise<void> {
    const outlet = new PostOutlet(this.#posts, {
      sessionId: session.sessionId,
      reply,
      expected: requests.length,
      batch,
      primes: hasPrimingEvent(session.protocolVersion),
      writeMain: this.writeMain(session.sessionId),
      journal: () => formatCall(requests, caller, false),
    });
    await this.run(session, requests, caller, outlet);
  }

  /**
   * Takes requests over whose answers go onto the session's main stream. When this resolves they are journaled, so that
   * they may be acknowledged; the function it returns serves them.
   * @throws SessionGone, StoreUnavailable
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
    await store.calls.list(nodeToken, name);
    if (!(await store.calls.enter(name, nodeToken, formatCall(requests, caller, true)))) {
      throw new SessionGone('the session has ended');
    }
    const write = this.writeMain(sessionId, { callId: name.callId, owner: nodeToken });
    const outlet = createMainOutlet(write, requests.length, {
      callId: name.callId,
      onOver: () => this.unlist(name),
    });
    return () => this.run(session, requests, caller, outlet, effects);
  }

  /** A place that stays in the list by a failure here is found empty by whoever looks at it. */
  unlist(name: CallName): void {
    this.options.store.calls.unlist(this.options.nodeToken, name).catch(() => undefined);
  }

  /**
   * Takes over a message that gets no answer. Resolves when what it carries is stored, or known to be unwanted.
   * @throws SessionGone, StoreUnavailable
   */
  async accept(session: SessionRecord, message: JsonRpcMessage, caller: Caller): Promise<void> {
    const { relay, store, metrics } = this.options;
    const { sessionId } = session;
    if (isResponse(message)) return relay.accept(sessionId, message);
    switch (message.method) {
      case 'notifications/progress':
        return relay.accept(sessionId, message);
      case 'notifications/cancelled': {
        const requestId = message.params?.requestId;
        const reason = message.params?.reason;
        if (!isId(requestId)) return;
        await store.broker.signal({
          kind: 'cancelled',
          sessionId,
          requestId,
          // Told to every node, for the handler's eyes: a line, not a book.
          ...(typeof reason === 'string' && { reason: reason.slice(0, 1000) }),
        });
        metrics.relayed('cancel', 'posted');
        return;
      }
      case 'notifications/initialized':
        if (!(await store.sessions.update(sessionId, { initialized: true }))) {
          throw new SessionGone('the session has ended');
        }
        await store.broker.signal({ kind: 'initialized', sessionId });
        break;
    }
    this.#notifyServer(session, message, caller);
  }

  /** Runs requests in a server brought to the session's state. */
  async run(
    session: SessionRecord,
    requests: readonly JsonRpcRequest[],
    caller: Caller,
    outlet: Outlet,
    effects: SessionEffects = this.effects(session.sessionId),
  ): Promise<void> {
    const { logger } = this.options;
    const context = this.contextFor(session, caller);
    let exchange: Exchange;
    try {
      exchange = await this.exchange(session, context, caller, outlet, effects);
    } catch (error) {
      // A factory that throws must not leave its clients waiting.
      logger.error({ error }, 'exchange: no server');
      for (const { id } of requests) await outlet.result(errorResponse(id, ErrorCode.InternalError, 'Internal error'));
      return;
    }
    for (const request of requests) exchange.deliver(request);
  }

  /** What the factory is given for requests of a session. */
  contextFor({ sessionId }: Pick<SessionRecord, 'sessionId'>, caller: Caller): ServerContext {
    return this.context(sessionId, createSessionState(this.options.store.sessions, sessionId), caller);
  }

  context(sessionId: string, session: SessionState, { authInfo, principal }: Caller): ServerContext {
    const { nodeId, notify, states } = this.options;
    // In this era a state never leaves the node that serves the call; the session is all there is to bind it to.
    const requestState = states.codec({ principal, purpose: `session ${sessionId}` });
    return { era: 'legacy', nodeId, sessionId, session, notify, requestState, ...(authInfo && { authInfo }) };
  }

  /** A hydrated exchange, ready for its messages. */
  async exchange(
    session: Pick<SessionRecord, 'sessionId' | 'initialize' | 'logLevel'>,
    context: ServerContext,
    caller: Caller,
    outlet: Outlet,
    effects: SessionEffects,
  ): Promise<Exchange> {
    const { servers, hub, logger, nodeToken, metrics } = this.options;
    const server = await servers.acquire(context);
    const closeStream = () => outlet.closeStream();
    const exchange = new Exchange({
      session,
      nodeToken,
      hub,
      logger,
      outlet,
      effects,
      extra: {
        ...caller.http,
        ...(caller.authInfo && { authInfo: caller.authInfo }),
        closeSSEStream: closeStream,
      },
      ...(servers.reusable && {
        enter: (deliver: () => void) => enterExchange(context, deliver),
        isOwn: () => currentExchange() === context,
      }),
      onEnd: (clean) =>
        void servers
          .release(server, clean)
          .catch((error: Error) => logger.warn({ error }, 'exchange: server not closed')),
    });
    exchange.onerror = (error) => logger.debug({ error }, 'exchange: server reports');
    try {
      await exchange.hydrate(server);
    } catch (error) {
      exchange.end();
      throw error;
    }
    if (session.initialize !== '') metrics.sessionRestored();
    return exchange;
  }

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
    this.#lingering.clear();
  }

  effects(sessionId: string): SessionEffects {
    return createSessionEffects(sessionId, this.options.store.sessions, this.options.store.broker);
  }

  /** After the acknowledgement: a handler's fault is no fault of the message. */
  #notifyServer(session: SessionRecord, message: JsonRpcNotification, caller: Caller): void {
    const outlet = createMainOutlet(this.writeMain(session.sessionId), 0);
    const context = this.contextFor(session, caller);
    this.exchange(session, context, caller, outlet, this.effects(session.sessionId)).then(
      (exchange) => {
        exchange.deliver(message);
        this.#lingering.add(exchange);
      },
      (error: Error) => this.options.logger.error({ error }, 'notification: not delivered'),
    );
  }
}

export function requestsOf(messages: readonly JsonRpcMessage[]): JsonRpcRequest[] {
  return messages.filter(isRequest);
}
