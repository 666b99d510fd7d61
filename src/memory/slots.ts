/** Pools of one process, with the same leases as in Redis. */
import type { Slots } from '../core/ports/slots.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { MemoryState } from './state.js';

export function createMemorySlots(state: MemoryState, limits: StoreLimits): Slots {
  const life = limits.nodeLeaseMs * 3;

  /** Holders that still have their place, by when it ends. A pool without any is forgotten. */
  function living(pool: string): Map<string, number> {
    const holders = state.slots.get(pool) ?? new Map<string, number>();
    for (const [holder, ends] of holders) if (ends <= state.now()) holders.delete(holder);
    if (holders.size === 0) state.slots.delete(pool);
    return holders;
  }

  return {
    async acquire(pool, holder, limit) {
      const holders = living(pool);
      if (!holders.has(holder) && holders.size >= limit) return false;
      state.slots.set(pool, holders.set(holder, state.now() + life));
      return true;
    },
    async renew(pool, holders) {
      const places = living(pool);
      for (const holder of holders) places.set(holder, state.now() + life);
      if (places.size > 0) state.slots.set(pool, places);
    },
    async release(pool, holder) {
      const places = living(pool);
      places.delete(holder);
      if (places.size === 0) state.slots.delete(pool);
    },
  };
}
