/**
 * Sentinels: one master, and who it is may change at any time.
 *
 * All Sentinels are asked at once and the answer of most of them counts: one that was cut off from the others still names
 * the former master. Where as many say this as that, the one known already stays until the next look.
 */
import type { RedisAddress, RedisTarget } from '../core/redis-target.js';
import { Outlook } from './outlook.js';
import { Scout } from './scout.js';
import { nameOf, type Topology, type TopologyOptions } from './topology.js';

/** Finds a change that no connection noticed: a master that was cut off from its Sentinels but not from this node. */
const LOOK_EVERY_MS = 2000;
/** A Sentinel answers from memory; one that takes longer is not there. */
const ANSWER_MS = 500;

type SentinelTarget = Extract<RedisTarget, { kind: 'sentinel' }>;

export class SentinelTopology implements Topology {
  readonly #target: SentinelTarget;
  readonly #reports: TopologyOptions['reports'];
  readonly #scout: Scout;
  readonly #outlook = new Outlook(() => this.#look(), LOOK_EVERY_MS);
  #master: RedisAddress | undefined;

  constructor({ reports, timeoutMs }: TopologyOptions, target: SentinelTarget) {
    this.#target = target;
    this.#reports = reports;
    // User and password of the address are those of Redis; Sentinels that want one have their own.
    const access = {
      ...(target.tls && { tls: target.tls }),
      ...target.sentinelAccess,
    };
    this.#scout = new Scout({ access, connectTimeout: timeoutMs * 2 }, Math.max(ANSWER_MS, timeoutMs));
  }

  get masters(): readonly RedisAddress[] {
    return this.#master ? [this.#master] : [];
  }

  ownerOf(): RedisAddress | undefined {
    return this.#master;
  }

  start(): void {
    this.#outlook.start();
  }

  refresh(): void {
    this.#outlook.refresh();
  }

  /** Only servers of a Cluster say so; the inspection reports that this one is. */
  moved(): void {}

  onChange(listener: () => void): () => void {
    return this.#outlook.onChange(listener);
  }

  close(): void {
    this.#outlook.close();
    this.#scout.close();
  }

  async #look(): Promise<void> {
    const { nodes, master } = this.#target;
    const votes = new Map<string, { address: RedisAddress; count: number }>();
    let unknown = 0;
    await Promise.all(
      nodes.map(async (sentinel) => {
        try {
          const answer = await this.#scout.ask(sentinel, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]);
          if (!Array.isArray(answer)) {
            unknown += 1;
            return;
          }
          const address = { host: String(answer[0]), port: Number(answer[1]) };
          const vote = votes.get(nameOf(address)) ?? { address, count: 0 };
          votes.set(nameOf(address), { ...vote, count: vote.count + 1 });
        } catch (error) {
          this.#reports.error(error as Error, `Sentinel ${nameOf(sentinel)}`);
        }
      }),
    );
    const [first, second] = [...votes.values()].sort((a, b) => b.count - a.count);
    if (first === undefined) {
      if (unknown > 0) {
        this.#reports.fault(`the Sentinels know no master called "${master}": check the name at the end of REDIS_URL`);
      }
      return;
    }
    if (this.#master && first.count === second?.count) return;
    if (this.#master && nameOf(this.#master) === nameOf(first.address)) return;
    this.#master = first.address;
    this.#outlook.tell();
  }
}
