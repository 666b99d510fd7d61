/**
 * The modern era: requests that carry all they need. The SDK serves them; this file gives it servers from the same
 * factory, change events from the whole fleet, and states that every node can verify.
 *
 * No session record is read or written here, and no stream is logged: a modern stream ends with its connection, and the
 * connection's end is the cancellation.
 */
import {
  type CreateMcpHandlerOptions,
  createMcpHandler,
  type McpHandlerRequestOptions,
  type McpHttpHandler,
  McpServer,
  type McpServerFactory,
  type ServerEventBus,
} from '@modelcontextprotocol/server';
import { ANONYMOUS, type Identity } from '../core/authentication.js';
import type { ChangeFeed } from '../core/change-feed.js';
import { isObject, isRequest, type JsonRpcMessage } from '../core/jsonrpc.js';
import { digestOf } from '../core/limits/digest.js';
import type { HeldPlaces } from '../core/limits/held-places.js';
import type { Logger } from '../core/logger.js';
import type { Change } from '../core/ports/change-log.js';
import { type Store, StoreUnavailable } from '../core/ports/store.js';
import type { RequestTrail } from '../core/request-trail.js';
import { MODERN_REVISION } from '../core/revisions.js';
import type { Notify, ServerContext } from '../core/server-context.js';
import type { TokenExpiry } from '../core/token-expiry.js';
import { startServerSpan, type Tracing } from '../core/tracing.js';
import { enterExchange } from './current-exchange.js';
import { ModernSpan } from './modern-span.js';
import type { RequestStates } from './request-states.js';
import { challengeIn, findChallenge, type ScopeResolver, ScopesLacking } from './scope-challenge.js';
import type { McpServerLike } from './server-module.js';
import type { ServerSource } from './server-source.js';
import { withWrittenAnswers } from './written-answers.js';

/** The method that opens a stream of this era. */
export const LISTEN = 'subscriptions/listen';
/** What the SDK answers for a call whose connection was closed: nobody is there to read it, or this node goes. */
const CLOSED = 499;
/** What it answers where the token is not good for the request. */
const FORBIDDEN = 403;

export interface ModernEraOptions {
  readonly nodeId: string;
  readonly store: Store;
  readonly servers: ServerSource;
  readonly notify: Notify;
  readonly feed: ChangeFeed;
  readonly states: RequestStates;
  readonly tokenExpiry: TokenExpiry;
  readonly tracing: Tracing;
  readonly logger: Logger;
  /** Subscriptions open on this node. */
  readonly maxListenStreams: number;
  /** Subscriptions of one principal on all nodes; 0: no bound. */
  readonly maxListenStreamsPerUser: number;
  readonly places: HeldPlaces;
  readonly keepAliveMs: number;
}

export interface ModernCaller extends Identity {
  readonly trail?: RequestTrail;
}

/** As many subscriptions are open as may be, of this principal or on this node. */
export class TooManyStreams extends Error {
  override readonly name = 'TooManyStreams';
  readonly reason: 'streams_node' | 'subscriptions_user';

  constructor(reason: 'streams_node' | 'subscriptions_user') {
    super('as many subscriptions are open as may be');
    this.reason = reason;
  }
}

/** The node takes nothing new: another one will. */
export class NodeLeaving extends Error {
  override readonly name = 'NodeLeaving';
}

export class ModernEra {
  readonly #options: ModernEraOptions;
  readonly #handlerOptions: CreateMcpHandlerOptions;
  /**
   * One for each subscription, so that each can be ended by itself: with its token, or all at a drain, before calls get
   * the time to finish.
   */
  readonly #listens = new Set<McpHttpHandler>();
  /** One for each call: what the factory is given differs, and following the execution for it would cost more. */
  readonly #calls = new Set<McpHttpHandler>();
  readonly #nobody: ServerContext;
  #listening = 0;
  #leaving = false;
  #isServed: Promise<boolean> | undefined;

  constructor(options: ModernEraOptions) {
    this.#options = options;
    const { logger, states, feed, notify, maxListenStreams, keepAliveMs } = options;
    this.#handlerOptions = {
      legacy: 'reject',
      bus: busOf(feed, notify, logger),
      maxSubscriptions: maxListenStreams,
      keepAliveMs,
      onerror: (error: Error) => logger.debug({ error }, 'modern: refused or failed'),
    };
    // A subscription asks a server for its capabilities and nothing else.
    this.#nobody = this.#context(ANONYMOUS, states.codec({ principal: '', purpose: LISTEN }));
  }

  /** Requests being served, subscriptions apart. */
  get running(): number {
    return this.#calls.size;
  }

  /** Subscriptions open on this node. */
  get listening(): number {
    return this.#listening;
  }

  /** Whether the module's servers know this era: those of the first SDK line do not. */
  isServed(): Promise<boolean> {
    this.#isServed ??= this.#probe().catch((error: Error) => {
      this.#isServed = undefined;
      throw error;
    });
    return this.#isServed;
  }

  /**
   * Serves a request; it is over when `deliver` has sent the answer, streams to their end.
   * @throws StoreUnavailable when the request needs the store and that is away: a subscription, or a state signed with a
   * key that this node does not hold yet.
   */
  async serve(
    request: Request,
    message: JsonRpcMessage,
    caller: ModernCaller,
    deliver: (response: Response) => Promise<void>,
  ): Promise<void> {
    const { nodeId, tracing } = this.#options;
    const { trail } = caller;
    const span = startServerSpan(tracing, message, { nodeId, revision: MODERN_REVISION, ambient: trail?.ambient });
    if (!span) return this.#serve(request, message, caller, deliver);
    trail?.joined(span.context);
    const traced = new ModernSpan(span);
    return traced.around(request.signal, deliver, (last) => this.#serve(request, message, caller, last, traced));
  }

  async #serve(
    request: Request,
    message: JsonRpcMessage,
    caller: ModernCaller,
    deliver: (response: Response) => Promise<void>,
    traced?: ModernSpan,
  ): Promise<void> {
    const { store, states } = this.#options;
    const method = 'method' in message ? message.method : '';
    const listens = method === LISTEN;
    // Acknowledged means effective: a change is heard through the store, so that has to be there.
    if (listens) await store.ping();
    const params = 'method' in message && isObject(message.params) ? message.params : {};
    if (typeof params.requestState === 'string') await states.load();

    let keyMissing = false;
    const binding = {
      principal: caller.principal,
      purpose: `${method}\n${String((method === 'resources/read' ? params.uri : params.name) ?? '')}`,
    };
    const requestState = states.codec(binding, () => {
      keyMissing = true;
    });
    const context = this.#context(caller, requestState);
    const options = { parsedBody: message, ...(caller.authInfo && { authInfo: caller.authInfo }) };
    if (listens) return this.#listen(request, options, caller, deliver);
    let lacking: ScopesLacking | undefined;
    const guard = async (server: McpServerLike): Promise<void> => {
      const resolve = resolverOf(server);
      const challenge = resolve && isRequest(message) && (await findChallenge(resolve, [message], caller.authInfo));
      if (!challenge) return;
      lacking = new ScopesLacking(challenge);
      throw lacking;
    };
    const handler = createMcpHandler(this.#factory(context, traced, guard), this.#handlerOptions);
    this.#calls.add(handler);
    try {
      const response = await this.#fetch(handler, request, options, context);
      if (lacking) throw lacking;
      // In our words, which name all that the operation needs and have the form of every error.
      if (response.status === FORBIDDEN) throw new ScopesLacking(challengeIn(response));
      // Closed by `stop` at the end of a drain: the client may ask another node. One that has gone itself reads nothing.
      if (response.status === CLOSED && !request.signal.aborted) throw new NodeLeaving();
      if (keyMissing && response.headers.get('content-type')?.startsWith('application/json')) {
        throw new StoreUnavailable('the key of request states is out of reach');
      }
      await deliver(response);
    } finally {
      this.#calls.delete(handler);
    }
  }

  /** What the factory is given for a look at the tools of a caller. */
  contextFor(identity: Identity): ServerContext {
    const { principal } = identity;
    return this.#context(identity, this.#options.states.codec({ principal, purpose: 'tools/list' }));
  }

  /** Ends the subscriptions in order: each gets its final result. */
  async endSubscriptions(): Promise<void> {
    this.#leaving = true;
    await Promise.all([...this.#listens].map((handler) => handler.close()));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#listens, ...this.#calls].map((handler) => handler.close()));
  }

  #factory(
    context: ServerContext,
    traced?: ModernSpan,
    guard?: (server: McpServerLike) => Promise<void>,
  ): McpServerFactory {
    return async () => {
      const built = await this.#options.servers.build(() => context);
      try {
        await guard?.(built);
      } catch (error) {
        if (!(error instanceof ScopesLacking)) this.#options.logger.error({ error }, 'modern: a guard failed');
        await built.close();
        throw error;
      }
      withWrittenAnswers(built);
      const server = asServed(built);
      traced?.watch(server);
      return server;
    };
  }

  async #listen(
    request: Request,
    options: McpHandlerRequestOptions,
    { principal, expiresAt }: Identity,
    deliver: (response: Response) => Promise<void>,
  ): Promise<void> {
    if (this.#listening >= this.#options.maxListenStreams) throw new TooManyStreams('streams_node');
    // Counted before anything is waited for, or many that come at once would all find room.
    this.#listening += 1;
    const handler = createMcpHandler(this.#factory(this.#nobody), this.#handlerOptions);
    const forget = this.#options.tokenExpiry.follow(expiresAt, () => void handler.close());
    let release: (() => void) | undefined;
    try {
      await this.#options.feed.ready();
      // Nobody is counted for who was not authenticated; the bound of each node holds for all.
      const limit = principal === '' ? 0 : this.#options.maxListenStreamsPerUser;
      const taken = await this.#options.places.take([{ pool: `listen:${digestOf(principal)}`, limit }]);
      if (taken.outcome === 'full') throw new TooManyStreams('subscriptions_user');
      release = taken.release;
      // From now on a drain ends it; before, there is nothing that it could end.
      this.#listens.add(handler);
      const response = await handler.fetch(request, options);
      // On a connection that was kept open, behind the others that have been ended: told in order as they were, so that
      // the client opens it again elsewhere.
      if (this.#leaving) await handler.close();
      await deliver(response);
    } finally {
      this.#listening -= 1;
      this.#listens.delete(handler);
      forget();
      release?.();
    }
  }

  #fetch(
    handler: McpHttpHandler,
    request: Request,
    options: McpHandlerRequestOptions,
    context: ServerContext,
  ): Promise<Response> {
    // Entering for nobody would have the process follow every promise from then on.
    const { reusable, quiet } = this.#options.servers;
    if (!reusable || quiet) return handler.fetch(request, options);
    return new Promise((resolve, reject) => {
      enterExchange(context, () => handler.fetch(request, options).then(resolve, reject));
    });
  }

  #context({ authInfo }: Identity, requestState: ServerContext['requestState']): ServerContext {
    const { nodeId, notify } = this.#options;
    return { era: 'modern', nodeId, notify, requestState, ...(authInfo && { authInfo }) };
  }

  async #probe(): Promise<boolean> {
    const { servers, states } = this.#options;
    const server = await servers.build(() =>
      this.#context(ANONYMOUS, states.codec({ principal: '', purpose: 'probe' })),
    );
    const served = isOfSecondLine(server);
    await server.close();
    return served;
  }
}

/** Told by a method that only the second SDK line's low-level server has; `instanceof` fails between two copies of it. */
function isOfSecondLine(server: McpServerLike): boolean {
  const lowLevel = 'server' in server ? server.server : server;
  return typeof lowLevel === 'object' && lowLevel !== null && 'projectCallToolResult' in lowLevel;
}

/** A high-level server of another copy of the SDK is served by its low-level one, which is the same by structure. */
function asServed(server: McpServerLike): Awaited<ReturnType<McpServerFactory>> {
  const served = server instanceof McpServer || !('server' in server) ? server : server.server;
  return served as Awaited<ReturnType<McpServerFactory>>;
}

/**
 * The SDK's handler asks high-level servers of its own copy; for one of another copy it is asked here, by the same method.
 * Undefined: the SDK asks, or there is nobody to ask.
 */
function resolverOf(server: McpServerLike): ScopeResolver | undefined {
  const { resolveScopeChallenge: resolve } = server as { resolveScopeChallenge?: unknown };
  if (server instanceof McpServer || typeof resolve !== 'function') return undefined;
  return (context) => resolve.call(server, context);
}

function busOf(feed: ChangeFeed, notify: Notify, logger: Logger): ServerEventBus {
  const publish = (stored: Promise<void>): void =>
    void stored.catch((error: Error) => logger.warn({ error }, 'modern: change not stored'));
  return {
    publish(event) {
      if (event.kind === 'tools_list_changed') publish(notify.toolsChanged());
      else if (event.kind === 'prompts_list_changed') publish(notify.promptsChanged());
      else if (event.kind === 'resources_list_changed') publish(notify.resourcesChanged());
      else publish(notify.resourceUpdated(event.uri));
    },
    subscribe: (listener) =>
      feed.listen(
        ({ change }) => listener(eventOf(change)),
        // Which resources is not known; a client that reads its lists again finds what is new.
        () => {
          for (const kind of ['tools', 'prompts', 'resources'] as const) listener(eventOf({ kind }));
        },
      ),
  };
}

function eventOf(change: Change): Parameters<ServerEventBus['publish']>[0] {
  return change.kind === 'resource'
    ? { kind: 'resource_updated', uri: change.uri }
    : { kind: `${change.kind}_list_changed` };
}
