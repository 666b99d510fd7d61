/** Windows of one process, given out in the same shares as in Redis. */
import type { Rates } from '../core/ports/rates.js';
import type { MemoryState } from './state.js';

export function createMemoryRates(state: MemoryState): Rates {
  return {
    async take(counter, wanted, limit, windowMs) {
      const now = state.now();
      let window = state.rates.get(counter);
      if (window && window.ends.at <= now) {
        state.expiries.remove(window.ends);
        window = undefined;
      }
      if (!window) {
        window = { taken: 0, ends: state.expiries.add(now + windowMs, () => state.rates.delete(counter)) };
        state.rates.set(counter, window);
      }
      const left = Math.max(limit - window.taken, 0);
      const granted = Math.min(left, Math.max(wanted, Math.floor(left / 32)));
      window.taken += granted;
      return { granted, forMs: Math.max(window.ends.at - now, 1), window: String(window.ends.at) };
    },
  };
}
