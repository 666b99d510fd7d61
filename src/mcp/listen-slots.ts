/**
 * How many subscriptions one principal holds open over the fleet. Counted as leased places: a slot comes back when the
 * stream ends, and by itself when its node dies. Nobody is counted for who was not authenticated; the bound of each node
 * holds for all.
 */
import { createHash } from 'node:crypto';
import type { Slots } from '../core/ports/slots.js';
import { randomId } from '../core/random-id.js';

export class ListenSlots {
  readonly #slots: Slots;
  readonly #limit: number;
  readonly #held = new Map<string, Set<string>>();

  constructor(slots: Slots, limit: number) {
    this.#slots = slots;
    this.#limit = limit;
  }

  /** Undefined: the principal holds as many as it may. Else a function that gives the place back. @throws StoreUnavailable */
  async take(principal: string): Promise<(() => void) | undefined> {
    if (principal === '' || this.#limit === 0) return () => {};
    const pool = `listen:${createHash('sha256').update(principal).digest('base64url').slice(0, 22)}`;
    const holder = randomId(9);
    if (!(await this.#slots.acquire(pool, holder, this.#limit))) return undefined;
    const held = this.#held.get(pool) ?? new Set();
    this.#held.set(pool, held.add(holder));
    return () => {
      held.delete(holder);
      if (held.size === 0) this.#held.delete(pool);
      this.#slots.release(pool, holder).catch(() => undefined);
    };
  }

  /** By the clock, well within a lease. @throws StoreUnavailable */
  async renew(): Promise<void> {
    await Promise.all([...this.#held].map(([pool, holders]) => this.#slots.renew(pool, [...holders])));
  }
}
