/** The fleet's changes as one short Redis stream. Guarantees: core/ports/change-log.ts. */
import type { Change, ChangeLog } from '../core/ports/change-log.js';
import { START } from '../core/ports/event-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import { isGapless } from './event-log.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

/** Changes kept. Who is behind by more is told that anything may have changed. */
const CHANGES_KEPT = '10000';
/** The newest position outlives the changes by this much, so that a session that was long away learns that it missed some. */
const NEWEST_LIFE_MS = 24 * 60 * 60 * 1000;

/** Fields: d, change, and p, position before. */
type RawEntry = [position: string, fields: string[]];

export function createRedisChangeLog(redis: RedisConnection, keys: Keys, limits: StoreLimits): ChangeLog {
  const both = [keys.changes, keys.newestChange];
  const life = String(limits.streamTtlMs);
  const newestLife = String(Math.max(NEWEST_LIFE_MS, limits.streamTtlMs, limits.sessionTtlMs * 2));
  return {
    append: (change) =>
      redis.run<string>(scripts.appendChange, both, [
        JSON.stringify(change),
        CHANGES_KEPT,
        life,
        newestLife,
        keys.changeBus,
      ]),

    async read(after, limit) {
      const [newest, raw] = await redis.run<[string, RawEntry[]]>(scripts.readChanges, both, [after, String(limit)]);
      const first = raw[0];
      // A position that the log has not come to is no better than one before what is kept: what led there was lost.
      return {
        complete: first ? isGapless(after, first[1][3]) : newest === START || newest === after,
        entries: raw.map(([position, fields]) => ({ position, change: JSON.parse(fields[1] as string) as Change })),
      };
    },

    latest: async () => (await redis.command<string | null>(keys.newestChange, 'GET', keys.newestChange)) ?? '0-0',
  };
}
