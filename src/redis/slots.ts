/** Pools as sorted sets of holders by the end of their lease. Guarantees: core/ports/slots.ts. */
import type { Slots } from '../core/ports/slots.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

export function createRedisSlots(redis: RedisConnection, keys: Keys, limits: StoreLimits): Slots {
  const life = String(limits.nodeLeaseMs * 3);
  return {
    async acquire(pool, holder, limit) {
      return (await redis.run<number>(scripts.acquireSlot, [keys.slots(pool)], [holder, String(limit), life])) === 1;
    },
    async renew(pool, holders) {
      await redis.run(scripts.renewSlots, [keys.slots(pool)], [life, ...holders]);
    },
    async release(pool, holder) {
      await redis.command(keys.slots(pool), 'ZREM', keys.slots(pool), holder);
    },
  };
}
