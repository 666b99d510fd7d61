/**
 * Places in pools that this node holds for what is open here: streams, subscriptions. Counted over the fleet as leased
 * places, so that those of a node that dies come free by themselves; renewed by the clock while they are needed.
 */
import type { Place, Slots } from '../ports/slots.js';
import { randomId } from '../random-id.js';

export type Taken<P extends Place> =
  | { readonly outcome: 'taken'; readonly release: () => void }
  /** Nothing is held in any of the pools. */
  | { readonly outcome: 'full'; readonly place: P };

export class HeldPlaces {
  readonly #slots: Slots;
  readonly #held = new Map<string, Set<string>>();

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** One place in each of the pools, or in none. Pools without a limit (0) are passed over. @throws StoreUnavailable */
  async take<P extends Place>(places: readonly P[]): Promise<Taken<P>> {
    const holder = randomId(9);
    const taken: string[] = [];
    const release = (): void => {
      for (const pool of taken.splice(0)) this.#release(pool, holder);
    };
    try {
      for (const place of places) {
        if (place.limit === 0) continue;
        if (!(await this.#slots.acquire(place.pool, holder, place.limit))) {
          release();
          return { outcome: 'full', place };
        }
        taken.push(place.pool);
        const held = this.#held.get(place.pool) ?? new Set();
        this.#held.set(place.pool, held.add(holder));
      }
    } catch (error) {
      release();
      throw error;
    }
    return { outcome: 'taken', release };
  }

  /** By the clock, well within a lease. @throws StoreUnavailable */
  async renew(): Promise<void> {
    await Promise.all([...this.#held].map(([pool, holders]) => this.#slots.renew(pool, [...holders])));
  }

  #release(pool: string, holder: string): void {
    const held = this.#held.get(pool);
    held?.delete(holder);
    if (held?.size === 0) this.#held.delete(pool);
    // One that cannot be given back now lapses by itself.
    this.#slots.release(pool, holder).catch(() => undefined);
  }
}
