/**
 * The world of a run: Redis, three nodes, a link from each node to Redis and from the balancer to each node, and a
 * process that sends messages to sessions from outside of any call.
 *
 * Faults strike here; clients know nothing but the balancer's address. Everything is ended by `stop`, in any state.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Balancer, startBalancer } from '../src/demo/balancer.js';
import type { FleetAccess } from '../src/index.js';
import { type NodeProcess, startNode } from '../test/support/node-process.js';
import { Ending } from './ending.js';
import type { Effect } from './history.js';
import { Link } from './link.js';
import { type Persistence, Store } from './store.js';

const OWN_DIST = fileURLToPath(new URL('../dist', import.meta.url));
const SERVER = fileURLToPath(new URL('./servers/chaos-server.mjs', import.meta.url));
const CLOCK = fileURLToPath(new URL('../test/support/skewed-clock.mjs', import.meta.url));

const BOOTS = 8;

export const USERS = ['ada', 'bob'] as const;
export const tokenOf = (user: string): string => `token-of-${user}`;

export interface WorldOptions {
  /** The compiled product; a patched copy where a fault was planted. */
  readonly dist?: string | undefined;
  readonly nodes?: number;
  readonly leaseMs: number;
  readonly persistence: Persistence;
  /** How far the wall clock of each node is off. */
  readonly skewMs: readonly number[];
  readonly chance: () => number;
}

/** One place of the fleet: its node may die and be followed by another one, its links stay. */
export class Place {
  readonly name: string;
  readonly toStore: Link;
  readonly toNode: Link;
  node: NodeProcess | undefined;

  constructor(name: string, toStore: Link, toNode: Link) {
    this.name = name;
    this.toStore = toStore;
    this.toNode = toNode;
  }
}

export class World {
  readonly store: Store;
  readonly places: readonly Place[];
  readonly balancer: Balancer;
  readonly workerLink: Link;
  worker: FleetAccess | undefined;
  readonly #options: WorldOptions;
  readonly #ending: Ending;
  readonly #directory: string;

  private constructor(
    options: WorldOptions,
    ending: Ending,
    parts: { store: Store; places: Place[]; balancer: Balancer; workerLink: Link; directory: string },
  ) {
    this.#options = options;
    this.#ending = ending;
    this.store = parts.store;
    this.places = parts.places;
    this.balancer = parts.balancer;
    this.workerLink = parts.workerLink;
    this.#directory = parts.directory;
  }

  static async start(options: WorldOptions): Promise<World> {
    const ending = new Ending();
    try {
      const directory = await mkdtemp(join(tmpdir(), 'anynode-chaos-'));
      ending.add(() => rm(directory, { recursive: true, force: true }));
      const store = await Store.start(options.persistence);
      ending.add(() => store.stop());
      const link = async (port: number): Promise<Link> => {
        const opened = await Link.open({ port }, options.chance);
        ending.add(() => opened.close());
        return opened;
      };
      const places: Place[] = [];
      for (let i = 0; i < (options.nodes ?? 3); i += 1) {
        places.push(new Place(`node-${'abcdef'[i]}`, await link(store.port), await link(1)));
      }
      const balancer = await startBalancer([]);
      ending.add(() => balancer.close());
      const workerLink = await link(store.port);
      const world = new World(options, ending, { store, places, balancer, workerLink, directory });
      ending.add(() => world.#stopNodes());
      await Promise.all(places.map((place) => world.boot(place)));
      const { createFleet } = (await import(pathToFileURL(join(world.dist, 'index.js')).href)) as {
        createFleet: typeof import('../src/index.js').createFleet;
      };
      world.worker = await createFleet({
        redisUrl: `redis://127.0.0.1:${workerLink.port}`,
        nodeLeaseMs: options.leaseMs,
        logLevel: 'silent',
      });
      ending.add(() => world.worker?.close());
      return world;
    } catch (error) {
      await ending.run();
      throw error;
    }
  }

  get url(): string {
    return this.balancer.url;
  }
  get dist(): string {
    return this.#options.dist ?? OWN_DIST;
  }
  get ledger(): string {
    return join(this.#directory, 'ledger.jsonl');
  }

  /** Starts a node in this place and lets the balancer know. A busy machine may take more than one attempt. */
  async boot(place: Place): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#boot(place);
      } catch (error) {
        if (attempt === BOOTS) throw error;
      }
    }
  }

  async #boot(place: Place): Promise<void> {
    const index = this.places.indexOf(place);
    const { leaseMs, skewMs } = this.#options;
    place.node = await startNode(
      {
        REDIS_URL: `redis://127.0.0.1:${place.toStore.port}`,
        MCP_SERVER: SERVER,
        NODE_ID: place.name,
        NODE_LEASE_MS: String(leaseMs),
        // Longer than by default: this machine is busy with the whole fleet, its clients and its faults.
        REDIS_TIMEOUT_MS: '3000',
        SSE_KEEPALIVE_MS: '2000',
        DRAIN_DELAY_MS: '300',
        DRAIN_TIMEOUT_MS: '2000',
        AUTH_TOKENS: USERS.map((user) => `${user}:${tokenOf(user)}`).join(','),
        LOG_LEVEL: 'warn',
        CHAOS_LEDGER: this.ledger,
        CLOCK_SKEW_MS: String(skewMs[index] ?? 0),
        NODE_OPTIONS: `--import ${pathToFileURL(CLOCK).href}`,
      },
      join(this.dist, 'main.js'),
    );
    place.toNode.target = { port: place.node.port };
    this.#publish();
  }

  /** Takes the place away from the balancer; the node itself is the caller's business. */
  withdraw(place: Place): NodeProcess | undefined {
    const { node } = place;
    place.node = undefined;
    this.#publish();
    return node;
  }

  #publish(): void {
    const up = this.places.filter(({ node }) => node !== undefined);
    this.balancer.replicas = up.map(({ toNode }) => `http://127.0.0.1:${toNode.port}`);
  }

  /** Everybody's way to the store leads to where it is now, as a name does that was pointed elsewhere. */
  followStore(): void {
    for (const link of [this.workerLink, ...this.places.map(({ toStore }) => toStore)]) {
      link.target = { port: this.store.port };
      link.cut();
    }
  }

  /** What handlers did, in the order in which they did it. */
  async effects(): Promise<Effect[]> {
    const text = await readFile(this.ledger, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => ({ type: 'effect', ...(JSON.parse(line) as Omit<Effect, 'type'>) }));
  }

  async #stopNodes(): Promise<void> {
    await Promise.all(this.places.map(({ node }) => node?.stop()));
  }

  stop(): Promise<void> {
    return this.#ending.run();
  }
}
