/**
 * A node's place in the fleet: its name, its lease, and whether it may take others for dead.
 */
import type { Logger } from '../core/logger.js';
import { type Store, StoreUnavailable } from '../core/ports/store.js';
import { randomId } from '../core/random-id.js';
import { refusalOf } from './health.js';

export interface MembershipOptions {
  readonly store: Store;
  readonly configuredId: string;
  readonly nodeToken: string;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/**
 * Of a lease: heartbeats that are farther apart are a break. They come each third of one, so for the lease of another node to
 * lapse by a standstill alone this has to be two thirds; a heartbeat or two that take their time are none.
 */
const BREAK = 0.65;

export class Membership {
  readonly #options: MembershipOptions;
  #nodeId: string;
  /** Since when every heartbeat has found our lease intact, and soon after the one before (epoch ms). */
  #unbrokenSince: number | undefined;
  #lastBeat = 0;
  /** When the heartbeat before was sent. Not when it was answered: a slow answer must not hide a part of a standstill. */
  #lastSent = 0;
  /** Of a clock that nobody sets. */
  #confirmedAt = performance.now();
  /** The word that the store has refused the last heartbeat with. */
  #refusal: string | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#nodeId = options.configuredId;
  }

  /** Unique among the living nodes; a suffix is added where another one has the configured name. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /**
   * Whether this node may take others for dead. After an outage of the store every lease has lapsed and nobody has died:
   * who has renewed its own for a whole lease without a break has given all the others the time to do the same. A store that
   * stood still and then answers is such a break, although nothing failed: our own lease may just have lasted. To be asked
   * again after whatever was waited for.
   */
  get mayJudge(): boolean {
    const now = Date.now();
    const { leaseMs } = this.#options;
    // A process that was suspended has not noticed anything yet; its next heartbeat will.
    if (this.#unbrokenSince === undefined || now - this.#lastBeat > leaseMs / 2) return false;
    return now - this.#unbrokenSince >= leaseMs;
  }

  /** Since the store has last confirmed our lease, or since this node exists where it never has. */
  get leaseAgeMs(): number {
    return performance.now() - this.#confirmedAt;
  }

  /** Takes the name. While the store is away the node starts all the same, and the heartbeat takes it later. */
  async join(): Promise<void> {
    try {
      await this.#claim();
      this.#lastSent = Date.now();
      this.#lastBeat = this.#lastSent;
      this.#unbrokenSince = this.#lastSent;
      this.#confirmedAt = performance.now();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#options.logger.warn({}, 'the store is out of reach: the node is live but not ready');
    }
  }

  /** @throws StoreUnavailable */
  async heartbeat(): Promise<void> {
    const { store, nodeToken } = this.#options;
    const sent = Date.now();
    try {
      // Together: on a slow link two round trips would bring the heartbeats twice as far apart.
      const [isIntact] = await Promise.all([
        store.nodes.heartbeat(this.#nodeId, nodeToken),
        store.calls.renew(nodeToken),
      ]);
      if (isIntact) {
        const now = Date.now();
        if (now - this.#lastSent > this.#options.leaseMs * BREAK) this.#unbrokenSince = now;
        this.#lastSent = sent;
        this.#unbrokenSince ??= now;
        this.#lastBeat = now;
        this.#confirmedAt = performance.now();
        this.#noteRefusal(undefined);
        return;
      }
      this.#unbrokenSince = undefined;
      await this.#claim();
      this.#confirmedAt = performance.now();
      this.#noteRefusal(undefined);
    } catch (error) {
      this.#unbrokenSince = undefined;
      if (error instanceof StoreUnavailable) this.#noteRefusal(refusalOf(error));
      throw error;
    }
  }

  /** Gives name and lease back; what is still journaled under this node is found by the others at once. */
  async leave(): Promise<void> {
    await this.#options.store.nodes.release(this.#nodeId, this.#options.nodeToken);
  }

  /**
   * A store that answers and refuses (full, demoted, loading) is out of reach to nobody, so the connection says nothing:
   * it is said here, once for each refusal and once when it is over.
   */
  #noteRefusal(refusal: string | undefined): void {
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    const { logger } = this.#options;
    if (refusal === undefined) logger.info({}, 'the store serves again');
    else logger.error({ refusal }, 'the store refuses to serve');
  }

  async #claim(): Promise<void> {
    const { store, configuredId, nodeToken, logger } = this.#options;
    while (!(await store.nodes.claim(this.#nodeId, nodeToken))) {
      this.#nodeId = `${configuredId}-${randomId(6)
        .toLowerCase()
        .replace(/[^a-z0-9]/g, '')
        .slice(0, 4)}`;
      logger.warn({ configured: configuredId, taken: this.#nodeId }, 'another living node has this name: suffix added');
    }
  }
}
