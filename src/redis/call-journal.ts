/** Calls and where they run. Guarantees: core/ports/call-journal.ts. */
import type { CallJournal, CallName } from '../core/ports/call-journal.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import { openLogLife, RUNNING_LIFE_MS } from './event-log.js';
import type { Keys } from './keys.js';
import { afterLife } from './node-registry.js';
import { scripts } from './scripts.js';

export function createRedisCallJournal(redis: RedisConnection, keys: Keys, limits: StoreLimits): CallJournal {
  const entryLife = String(openLogLife(limits));
  const listLife = String(afterLife(limits));

  return {
    async enter({ sessionId, callId }, owner, journal) {
      const all = [
        keys.session(sessionId),
        keys.streams(sessionId),
        keys.stream(sessionId, callId),
        keys.running(sessionId),
      ];
      const args = [callId, owner, journal, entryLife, String(RUNNING_LIFE_MS)];
      return (await redis.run<number>(scripts.enterCall, all, args)) === 1;
    },

    async drop({ sessionId, callId }, owner) {
      await redis.run(scripts.dropCall, [keys.stream(sessionId, callId), keys.running(sessionId)], [callId, owner]);
    },

    async list(owner, call) {
      const key = keys.calls(owner);
      await Promise.all([redis.command(key, 'SADD', key, format(call)), redis.command(key, 'PEXPIRE', key, listLife)]);
    },

    async unlist(owner, call) {
      const key = keys.calls(owner);
      await redis.command(key, 'SREM', key, format(call));
    },

    async listed(owner, limit) {
      const key = keys.calls(owner);
      return (await redis.command<string[]>(key, 'SRANDMEMBER', key, String(limit))).map(parse);
    },

    async claim({ sessionId, callId }, from, to, form) {
      const both = [keys.session(sessionId), keys.stream(sessionId, callId)];
      const claimed = await redis.run<[journal?: string, claims?: number] | string | null>(scripts.claimCall, both, [
        from,
        to,
        form,
      ]);
      if (claimed === null) return { outcome: 'over' };
      if (typeof claimed === 'string') return { outcome: 'held', owner: claimed };
      const [journal, claims = 0] = claimed;
      return journal === undefined ? { outcome: 'unknown' } : { outcome: 'claimed', journal, claims };
    },

    async leave({ sessionId, callId }, owner) {
      const both = [keys.session(sessionId), keys.stream(sessionId, callId)];
      await redis.run(scripts.leaveCall, both, [owner]);
    },

    async renew(owner) {
      const key = keys.calls(owner);
      await redis.command(key, 'PEXPIRE', key, listLife);
    },
  };
}

const format = ({ sessionId, callId }: CallName): string => `${sessionId} ${callId}`;

function parse(text: string): CallName {
  const [sessionId, callId] = text.split(' ') as [string, string];
  return { sessionId, callId };
}
