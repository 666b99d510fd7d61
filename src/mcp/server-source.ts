/**
 * Where servers come from: built for one exchange, or lent.
 *
 * A module that declares itself reusable has its servers lent to one exchange at a time, closed and hydrated anew
 * between two. A server whose handlers may still be running is never lent again: their late messages would go to
 * somebody else's client.
 */
import type { Notify, ServerContext } from '../core/server-context.js';
import type { McpServerLike, ServerFactory, ServerModule } from './server-module.js';

/** Idle servers kept. More than can run at once on one processor is of no use. */
const POOL_SIZE = 64;

/** How long a factory is waited for: whatever it waits for itself, a request must not be held for ever. */
const PATIENCE_MS = 30_000;

export class ServerSource {
  readonly #module: ServerModule;
  readonly #shared: ServerContext;
  readonly #idle: McpServerLike[] = [];

  constructor(
    module: ServerModule,
    node: { readonly nodeId: string; readonly notify: Notify },
    patienceMs = PATIENCE_MS,
  ) {
    this.#module = { ...module, factory: inTime(module.factory, patienceMs) };
    // All that a reusable server may be built on: what is the same for every exchange.
    this.#shared = {
      get nodeId() {
        return node.nodeId;
      },
      notify: node.notify,
    } as ServerContext;
  }

  /** Whether handlers have to ask for the exchange they serve, since their server was built for none. */
  get reusable(): boolean {
    return this.#module.reusable;
  }

  async acquire(context: ServerContext): Promise<McpServerLike> {
    return (this.#module.reusable ? this.#idle.pop() : undefined) ?? this.build(context);
  }

  /** A server of the caller's own, never to be released. */
  async build(context: ServerContext): Promise<McpServerLike> {
    return checked(await this.#module.factory(this.#module.reusable ? this.#shared : context));
  }

  /** `clean`: no handler is running any more, so the server may serve somebody else. */
  async release(server: McpServerLike, clean: boolean): Promise<void> {
    await server.close();
    if (this.#module.reusable && clean && this.#idle.length < POOL_SIZE) this.#idle.push(server);
  }
}

function checked(server: Awaited<ReturnType<ServerFactory>>): McpServerLike {
  if (typeof server?.connect !== 'function' || typeof server.close !== 'function') {
    throw new TypeError('the server factory returned something that is not a server (no connect, no close)');
  }
  return server;
}

/** The same factory; one that answers at once, as most do, costs no timer. */
function inTime(factory: ServerFactory, ms: number): ServerFactory {
  return (context) => {
    const built = factory(context);
    if (!(built instanceof Promise)) return built;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the server factory did not answer in ${ms / 1000} s`)), ms);
    });
    return Promise.race([built, late]).finally(() => clearTimeout(timer));
  };
}
