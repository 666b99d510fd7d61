/**
 * A Cluster: the masters and their slots, as any of its servers tells them.
 *
 * The first answer counts. It may be out of date, for a moment, after a fail-over; then the wrong server says MOVED or
 * nothing at all, and either is a reason to look again.
 */
import type { RedisAddress, RedisTarget } from '../core/redis-target.js';
import { Outlook } from './outlook.js';
import { Scout } from './scout.js';
import { SLOTS, slotOf } from './slot.js';
import { nameOf, type Topology, type TopologyOptions } from './topology.js';

/** Only for what nobody runs into: a server that left the Cluster, and that a subscriber still listens to. */
const LOOK_EVERY_MS = 15_000;
/** Servers asked at once; of a large Cluster not all. */
const ASKED_AT_ONCE = 5;

type ClusterTarget = Extract<RedisTarget, { kind: 'cluster' }>;
type SlotRange = [from: number, to: number, master: [host: string | null, port: number], ...replicas: unknown[]];

export class ClusterTopology implements Topology {
  readonly #target: ClusterTarget;
  readonly #reports: TopologyOptions['reports'];
  readonly #scout: Scout;
  readonly #outlook = new Outlook(() => this.#look(), LOOK_EVERY_MS);
  #slots = new Array<RedisAddress | undefined>(SLOTS);
  #masters: readonly RedisAddress[] = [];
  /** Masters and replicas: after a fail-over the address that was configured may be that of the dead one. */
  #known: readonly RedisAddress[] = [];

  constructor({ reports, timeoutMs }: TopologyOptions, target: ClusterTarget) {
    this.#target = target;
    this.#reports = reports;
    this.#scout = new Scout({ access: target, connectTimeout: timeoutMs * 2 }, timeoutMs);
  }

  get masters(): readonly RedisAddress[] {
    return this.#masters;
  }

  ownerOf(key: string): RedisAddress | undefined {
    return this.#slots[slotOf(key)];
  }

  start(): void {
    this.#outlook.start();
  }

  refresh(): void {
    this.#outlook.refresh();
  }

  moved(key: string, owner: RedisAddress): void {
    this.#slots[slotOf(key)] = this.#masters.find((known) => nameOf(known) === nameOf(owner)) ?? owner;
    this.#outlook.refresh();
  }

  onChange(listener: () => void): () => void {
    return this.#outlook.onChange(listener);
  }

  close(): void {
    this.#outlook.close();
    this.#scout.close();
  }

  async #look(): Promise<void> {
    const candidates = new Map([...this.#known, ...this.#target.nodes].map((address) => [nameOf(address), address]));
    const asked = shuffled([...candidates.values()]);
    for (let i = 0; i < asked.length; i += ASKED_AT_ONCE) {
      const answers = asked.slice(i, i + ASKED_AT_ONCE).map((address) => this.#ask(address));
      const ranges = await Promise.any(answers).catch(() => undefined);
      if (ranges) {
        this.#take(ranges);
        return;
      }
    }
  }

  async #ask(address: RedisAddress): Promise<readonly Range[]> {
    try {
      const ranges = (await this.#scout.ask(address, ['CLUSTER', 'SLOTS'])) as SlotRange[];
      if (ranges.length === 0) throw new Error('it has no slots: the Cluster is not formed yet');
      return ranges.map(([from, to, ...servers]) => ({
        from: Number(from),
        to: Number(to),
        servers: (servers as [string | null, number][]).map(([host, port]) => ({
          // A server that does not know its own address means the one it was reached at.
          host: host || address.host,
          port: Number(port),
        })),
      }));
    } catch (error) {
      this.#reports.error(error as Error, nameOf(address));
      throw error;
    }
  }

  #take(ranges: readonly Range[]): void {
    const masters = new Map<string, RedisAddress>();
    const known = new Map<string, RedisAddress>();
    const slots = new Array<RedisAddress | undefined>(SLOTS);
    for (const { from, to, servers } of ranges) {
      for (const server of servers) known.set(nameOf(server), server);
      const [master] = servers;
      if (master === undefined) continue;
      masters.set(nameOf(master), masters.get(nameOf(master)) ?? master);
      slots.fill(masters.get(nameOf(master)), from, to + 1);
    }
    const before = this.#masters.map(nameOf).sort().join();
    this.#slots = slots;
    this.#masters = [...masters.values()];
    this.#known = [...known.values()];
    if (this.#masters.map(nameOf).sort().join() !== before) this.#outlook.tell();
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
  /** The master first. */
  readonly servers: readonly RedisAddress[];
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
