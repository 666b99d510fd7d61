/** Sessions as Redis hashes with a life time. Guarantees: core/ports/session-store.ts. */
import {
  MAX_SUBSCRIPTIONS,
  type SessionChanges,
  type SessionRecord,
  type SessionStore,
  type SweepResult,
  TooManySubscriptions,
  type TransportType,
} from '../core/ports/session-store.js';
import { type StoreLimits, StoreUnavailable } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

/** Form of the record; a node that meets a newer one refuses it instead of guessing. */
const RECORD_VERSION = '1';

const LOADED = [
  'v',
  'transportType',
  'protocolVersion',
  'initialize',
  'clientInfo',
  'principal',
  'initialized',
  'logLevel',
] as const;

const SUBSCRIPTION = 'sub:';

export function createRedisSessionStore(redis: RedisConnection, keys: Keys, limits: StoreLimits): SessionStore {
  const { sessionTtlMs, sessionMaxAgeMs } = limits;
  const lives = [String(sessionTtlMs), String(sessionMaxAgeMs)];
  const firstLife = sessionMaxAgeMs > 0 ? Math.min(sessionTtlMs, sessionMaxAgeMs) : sessionTtlMs;
  /** The index is renewed by each opening and each sweep; this only has to outlive the pause between them. */
  const indexLife = String(sessionTtlMs * 2 + 60_000);

  const load = (sessionId: string, principal?: string): Promise<(string | null)[] | null> => {
    const owner = principal === undefined ? ['', ''] : ['1', principal];
    return redis.run(
      scripts.touchSession,
      [keys.session(sessionId), keys.state(sessionId)],
      [...lives, ...owner, ...LOADED],
    );
  };

  const change = async (sessionId: string, set: readonly string[], remove: readonly string[]): Promise<boolean> => {
    const args = [String(set.length), ...set, ...remove];
    return (await redis.run<number>(scripts.updateSession, [keys.session(sessionId)], args)) === 1;
  };

  const remove = (sessionId: string): Promise<number> =>
    redis.run(
      scripts.deleteSession,
      [keys.session(sessionId), keys.state(sessionId), keys.streams(sessionId)],
      [keys.sessionTag(sessionId), keys.bus, JSON.stringify({ kind: 'ended', sessionId })],
    );

  return {
    async create(record, { maxSessions, state = new Map() }) {
      const now = record.createdAt;
      const admit = () =>
        redis.run<number>(
          scripts.admitSession,
          [keys.sessions],
          [member(record), String(now + firstLife), String(maxSessions), indexLife],
        );
      const fields = encode(record);
      const store = () =>
        redis.run(
          scripts.createSession,
          [keys.session(record.sessionId), keys.state(record.sessionId)],
          [String(firstLife), String(fields.length / 2), ...fields, ...[...state].flat()],
        );
      // With a cap the place comes first, so that nothing is stored for a session that is refused. Without one both go
      // in one write; an index entry whose record was lost on the way is taken out by the sweep.
      if (maxSessions > 0) {
        if ((await admit()) === 0) return 'full';
        await store();
      } else {
        await Promise.all([admit(), store()]);
      }
      return 'created';
    },

    async touch(sessionId, principal) {
      const values = await load(sessionId, principal);
      return values === null ? undefined : decode(sessionId, values);
    },

    update: (sessionId, changes) => change(sessionId, encode(changes), []),

    async renew(sessionIds) {
      const replies = await Promise.all(sessionIds.map((sessionId) => load(sessionId)));
      return sessionIds.filter((_, i) => replies[i] === null);
    },

    async delete(session) {
      const { sessionId } = session;
      const there = await remove(sessionId);
      // A record that ran out before stays in the index until the sweep, which says why it ended. So does one whose
      // node died right here; it is then counted as expired.
      if (there === 1) await redis.command(keys.sessions, 'ZREM', keys.sessions, member(session));
      return there === 1;
    },

    count: () => redis.command<number>(keys.sessions, 'ZCARD', keys.sessions),

    async sweep(limit): Promise<SweepResult> {
      const now = Date.now();
      const [due] = await Promise.all([
        redis.command<string[]>(
          keys.sessions,
          'ZRANGEBYSCORE',
          keys.sessions,
          '-inf',
          String(now),
          'LIMIT',
          '0',
          String(limit),
        ),
        redis.command(keys.sessions, 'PEXPIRE', keys.sessions, indexLife),
      ]);
      const result = { expired: [] as string[], maxAge: [] as string[] };
      await Promise.all(
        due.map(async (entry) => {
          const separator = entry.indexOf(':');
          const createdAt = Number(entry.slice(0, separator));
          const sessionId = entry.slice(separator + 1);
          const key = keys.session(sessionId);
          const life = await redis.command<number>(key, 'PTTL', key);
          if (life > 0) {
            // XX: a session deleted meanwhile must not come back into the index.
            await redis.command(keys.sessions, 'ZADD', keys.sessions, 'XX', String(now + life), entry);
          } else if ((await redis.command<number>(keys.sessions, 'ZREM', keys.sessions, entry)) === 1) {
            // Exactly one sweeper takes the entry out, and that one counts it and removes what is left of the streams.
            await remove(sessionId);
            if (sessionMaxAgeMs > 0 && now >= createdAt + sessionMaxAgeMs) result.maxAge.push(sessionId);
            else result.expired.push(sessionId);
          }
        }),
      );
      return result;
    },

    async subscribe(sessionId, uri) {
      const args = [SUBSCRIPTION + uri, SUBSCRIPTION, String(MAX_SUBSCRIPTIONS)];
      const reply = await redis.run<number>(scripts.addSubscription, [keys.session(sessionId)], args);
      if (reply === -1) throw new TooManySubscriptions();
      return reply === 1;
    },
    unsubscribe: (sessionId, uri) => change(sessionId, [], [SUBSCRIPTION + uri]),
    async subscriptions(sessionId) {
      const key = keys.session(sessionId);
      const fields = await redis.command<string[]>(key, 'HKEYS', key);
      return fields.filter((field) => field.startsWith(SUBSCRIPTION)).map((field) => field.slice(SUBSCRIPTION.length));
    },

    async getState(sessionId, key) {
      const hash = keys.state(sessionId);
      return (await redis.command<string | null>(hash, 'HGET', hash, key)) ?? undefined;
    },
    async setState(sessionId, key, json) {
      const hashes = [keys.session(sessionId), keys.state(sessionId)];
      return (await redis.run<number>(scripts.setState, hashes, [key, json])) === 1;
    },
    async deleteState(sessionId, key) {
      const hash = keys.state(sessionId);
      return (await redis.command<number>(hash, 'HDEL', hash, key)) === 1;
    },
    async incrementState(sessionId, key, by) {
      const hashes = [keys.session(sessionId), keys.state(sessionId)];
      const reply = await redis.run<string | number>(scripts.incrementState, hashes, [key, String(by)]);
      if (reply === -1) throw new TypeError('the value is not a number');
      return reply === 0 ? undefined : Number(reply);
    },
  };
}

/** In the index the time of birth stands with the id, so that a sweep knows why a record that is gone has ended. */
function member({ sessionId, createdAt }: Pick<SessionRecord, 'sessionId' | 'createdAt'>): string {
  return `${createdAt}:${sessionId}`;
}

function encode(record: SessionRecord | SessionChanges): string[] {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(record)) {
    if (value !== undefined) fields.push(name, typeof value === 'boolean' ? (value ? '1' : '0') : String(value));
  }
  if ('createdAt' in record) fields.push('lastActive', String(record.createdAt), 'v', RECORD_VERSION);
  return fields;
}

function decode(sessionId: string, values: readonly (string | null)[]): SessionRecord {
  const [createdAt, version, transportType, protocolVersion, initialize, clientInfo, principal, initialized, logLevel] =
    values;
  if (version !== RECORD_VERSION) {
    // Of a newer release, during a roll-out: another node can serve it, so the client is to try again and not to give up.
    throw new StoreUnavailable(`a session record has form ${version} and this release reads form ${RECORD_VERSION}`);
  }
  return {
    sessionId,
    transportType: transportType as TransportType,
    createdAt: Number(createdAt),
    protocolVersion: protocolVersion ?? '',
    initialize: initialize ?? '',
    clientInfo: clientInfo ?? '',
    principal: principal ?? '',
    initialized: initialized === '1',
    logLevel: logLevel ?? '',
  };
}
