/**
 * Where servers come from: built for one exchange, or lent.
 *
 * A module that declares itself reusable has its servers lent to one exchange at a time. Between two sessions whose
 * clients opened them alike a server stays as it is; for another one it is closed and hydrated anew. A server whose
 * handlers may still be running is never lent again: their late messages would go to somebody else's client.
 */
import type { Notify, ServerContext } from '../core/server-context.js';
import { Seat } from './seat.js';
import type { McpServerLike, ServerFactory, ServerModule } from './server-module.js';

/** Idle servers kept. More than can run at once on one processor is of no use. */
const POOL_SIZE = 64;

export interface Wanted {
  /** The params of the session's `initialize`, as JSON; empty: it has none yet. */
  readonly initialize: string;
  /** The exchange itself brings `initialize`: nothing is replayed. */
  readonly opens: boolean;
  readonly onError: (error: Error) => void;
}

/** How long a factory is waited for: whatever it waits for itself, a request must not be held for ever. */
const PATIENCE_MS = 30_000;

export class ServerSource {
  readonly #module: ServerModule;
  readonly #shared: ServerContext;
  /** Idle servers that are connected, by what they were hydrated with; the kind that was used last is the last one. */
  readonly #seats = new Map<string, Seat[]>();
  /** Idle servers that are not connected. */
  readonly #bare: McpServerLike[] = [];
  #idle = 0;

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

  /** Whether handlers speak only through their own requests, so that nobody has to follow the execution. */
  get quiet(): boolean {
    return this.#module.quiet;
  }

  /**
   * A connected server in the state that is wanted; not a promise where one is idle. The context is asked for only where a
   * server is built for it.
   */
  acquire(context: () => ServerContext, wanted: Wanted): Seat | Promise<Seat> {
    const { initialize } = wanted;
    const alike = this.#module.reusable && initialize !== '' ? this.#takeSeat(initialize) : undefined;
    return alike ?? this.#prepare(context, wanted);
  }

  async #prepare(context: () => ServerContext, wanted: Wanted): Promise<Seat> {
    const { reusable } = this.#module;
    const server = (reusable ? await this.#takeBare() : undefined) ?? (await this.build(context));
    const seat = new Seat(server, wanted.initialize, reusable);
    seat.onerror = wanted.onError;
    try {
      await server.connect(seat);
      if (!wanted.opens && wanted.initialize !== '') await seat.hydrate(wanted.initialize);
    } catch (error) {
      await server.close().catch(wanted.onError);
      throw error;
    }
    return seat;
  }

  /** A server of the caller's own, never to be released. */
  async build(context: () => ServerContext): Promise<McpServerLike> {
    return checked(await this.#module.factory(this.#module.reusable ? this.#shared : context()));
  }

  /** `clean`: no handler is running any more, so the server may serve somebody else. */
  async release(seat: Seat, clean: boolean): Promise<void> {
    const lendable = this.#module.reusable && clean && this.#idle < POOL_SIZE;
    if (lendable && seat.key !== '' && !seat.closed) {
      this.#idle += 1;
      const alike = this.#seats.get(seat.key);
      if (alike) alike.push(seat);
      else this.#seats.set(seat.key, [seat]);
      return;
    }
    await seat.server.close();
    if (!lendable) return;
    this.#idle += 1;
    this.#bare.push(seat.server);
  }

  #takeSeat(key: string): Seat | undefined {
    const seats = this.#seats.get(key);
    const seat = seats?.pop();
    if (!seats || !seat) return undefined;
    this.#idle -= 1;
    if (seats.length === 0) this.#seats.delete(key);
    return seat;
  }

  /** One that nobody is connected to, or where there is no more room for others, one of the kind unused for longest. */
  async #takeBare(): Promise<McpServerLike | undefined> {
    const bare = this.#bare.pop();
    if (bare) {
      this.#idle -= 1;
      return bare;
    }
    if (this.#idle < POOL_SIZE) return undefined;
    const [oldest] = this.#seats.keys();
    const seat = oldest === undefined ? undefined : this.#takeSeat(oldest);
    await seat?.server.close();
    return seat?.server;
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
