/** Windows as counters with a life time. Guarantees: core/ports/rates.ts. */
import type { Rates } from '../core/ports/rates.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

export function createRedisRates(redis: RedisConnection, keys: Keys): Rates {
  return {
    async take(counter, wanted, limit, windowMs) {
      const [granted, forMs, window] = await redis.run<[number, number, string]>(
        scripts.takePermits,
        [keys.rate(counter)],
        [String(wanted), String(limit), String(windowMs)],
      );
      return { granted, forMs, window };
    },
  };
}
