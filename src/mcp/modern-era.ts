/**
 * The modern era: requests that carry all they need. The SDK serves them; this file gives it servers from the same
 * factory, change events from the whole fleet, and states that every node can verify.
 *
 * No session record is read or written here, and no stream is logged: a modern stream ends with its connection, and the
 * connection's end is the cancellation.
 */
import { createMcpHandler, McpServer, type McpServerFactory, type ServerEventBus } from '@modelcontextprotocol/server';
import type { ChangeFeed } from '../core/change-feed.js';
import { isObject, type JsonRpcMessage } from '../core/jsonrpc.js';
import type { Logger } from '../core/logger.js';
import type { Change } from '../core/ports/change-log.js';
import { type Store, StoreUnavailable } from '../core/ports/store.js';
import type { AuthInfo, Notify, ServerContext } from '../core/server-context.js';
import { currentExchange, enterExchange } from './current-exchange.js';
import type { RequestStates } from './request-states.js';
import type { McpServerLike } from './server-module.js';
import type { ServerSource } from './server-source.js';

const LISTEN = 'subscriptions/listen';

export interface ModernEraOptions {
  readonly nodeId: string;
  readonly store: Store;
  readonly servers: ServerSource;
  readonly notify: Notify;
  readonly feed: ChangeFeed;
  readonly states: RequestStates;
  readonly logger: Logger;
  readonly maxListenStreams: number;
  readonly keepAliveMs: number;
}

export interface ModernCaller {
  readonly principal: string;
  readonly authInfo: AuthInfo | undefined;
}

export class ModernEra {
  readonly #options: ModernEraOptions;
  readonly #calls: ReturnType<typeof createMcpHandler>;
  /** Kept apart from calls, so that at a drain the subscriptions end first and calls get the time to finish. */
  readonly #listens: ReturnType<typeof createMcpHandler>;
  #isServed: Promise<boolean> | undefined;
  #running = 0;

  constructor(options: ModernEraOptions) {
    this.#options = options;
    const { logger, servers, feed, notify, maxListenStreams, keepAliveMs } = options;
    // The factory is called within `fetch`, and so within the exchange that this was entered with.
    const factory: McpServerFactory = async () => asServed(await servers.build(currentExchange() as ServerContext));
    const common = {
      legacy: 'reject',
      bus: busOf(feed, notify, logger),
      maxSubscriptions: maxListenStreams,
      keepAliveMs,
      onerror: (error: Error) => logger.debug({ error }, 'modern: refused or failed'),
    } as const;
    this.#calls = createMcpHandler(factory, common);
    this.#listens = createMcpHandler(factory, common);
  }

  /** Requests being served, subscriptions apart. */
  get running(): number {
    return this.#running;
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
   * @throws StoreUnavailable when the request needs the store and that is away: a subscription, or a state signed with a
   * key that this node does not hold yet.
   */
  async serve(request: Request, message: JsonRpcMessage, caller: ModernCaller): Promise<Response> {
    const { store, states } = this.#options;
    const method = 'method' in message ? message.method : '';
    const listens = method === LISTEN;
    // Acknowledged means effective: a change is heard through the store, so that has to be there.
    if (listens) await store.ping();
    const params = 'method' in message && isObject(message.params) ? message.params : {};
    if (typeof params.requestState === 'string') await states.load();

    let keyMissing = false;
    const binding = { principal: caller.principal, purpose: `${method}\n${String(params.name ?? params.uri ?? '')}` };
    const requestState = states.codec(binding, () => {
      keyMissing = true;
    });
    const context = this.#context(caller, requestState);
    const options = { parsedBody: message, ...(caller.authInfo && { authInfo: caller.authInfo }) };
    this.#running += 1;
    try {
      const handler = listens ? this.#listens : this.#calls;
      const response = await new Promise<Response>((resolve, reject) => {
        enterExchange(context, () => handler.fetch(request, options).then(resolve, reject));
      });
      if (keyMissing && response.headers.get('content-type')?.startsWith('application/json')) {
        throw new StoreUnavailable('the key of request states is out of reach');
      }
      return response;
    } finally {
      this.#running -= 1;
    }
  }

  /** Ends the subscriptions in order: each gets its final result. */
  async endSubscriptions(): Promise<void> {
    await this.#listens.close();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#listens.close(), this.#calls.close()]);
  }

  #context({ authInfo }: ModernCaller, requestState: ServerContext['requestState']): ServerContext {
    const { nodeId, notify } = this.#options;
    return { era: 'modern', nodeId, notify, requestState, ...(authInfo && { authInfo }) };
  }

  async #probe(): Promise<boolean> {
    const { servers, states } = this.#options;
    const nobody = { principal: '', authInfo: undefined };
    const server = await servers.build(this.#context(nobody, states.codec({ principal: '', purpose: 'probe' })));
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
    subscribe: (listener) => feed.listen(({ change }) => listener(eventOf(change))),
  };
}

function eventOf(change: Change): Parameters<ServerEventBus['publish']>[0] {
  return change.kind === 'resource'
    ? { kind: 'resource_updated', uri: change.uri }
    : { kind: `${change.kind}_list_changed` };
}
