/** The fleet's changes as one short Redis stream. Guarantees: core/ports/change-log.ts. */
import type { Change, ChangeLog } from '../core/ports/change-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

/** Changes kept. Who was away for more is told that anything may have changed. */
const CHANGES_KEPT = '10000';

type RawEntry = [position: string, fields: string[]];

export function createRedisChangeLog(redis: RedisConnection, keys: Keys, limits: StoreLimits): ChangeLog {
  return {
    append: (change) =>
      redis.run<string>(
        scripts.appendChange,
        [keys.changes],
        [JSON.stringify(change), CHANGES_KEPT, String(limits.streamTtlMs), keys.changeBus],
      ),

    async read(after, limit) {
      const [, complete, entries] = await redis.run<[number, number, RawEntry[]]>(
        scripts.readEvents,
        [keys.changes],
        [after, String(limit)],
      );
      return {
        complete: complete === 1,
        entries: entries.map(([position, fields]) => ({ position, change: JSON.parse(fields[1] as string) as Change })),
      };
    },

    async latest() {
      const args = [keys.changes, '+', '-', 'COUNT', '1'];
      const [entry] = await redis.command<RawEntry[]>(keys.changes, 'XREVRANGE', ...args);
      return entry?.[0] ?? '0-0';
    },
  };
}
