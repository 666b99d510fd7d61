/** Sessions as Redis hashes with a life time. Guarantees: core/ports/session-store.ts. */

import { bytesOf, StateTooLarge } from '../core/limits/state-size.js';
import {
  MAX_SUBSCRIPTIONS,
  type SessionChanges,
  type SessionRecord,
  type SessionStore,
  type SweepResult,
  TooManySubscriptions,
  type TransportType,
} from '../core/ports/session-store.js';
import type { Place } from '../core/ports/slots.js';
import { type StoreLimits, StoreUnavailable } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import { packInitialize, unpackInitialize } from './handshake.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

/** Form of the record; a node that meets a newer one refuses it instead of guessing. The first had `initialize` whole. */
const RECORD_VERSION = '2';
const READ_VERSIONS = new Set<string | null | undefined>(['1', RECORD_VERSION]);
/** Left out of a new record while they are empty. */
const OPTIONAL = new Set(['initialize', 'principal', 'logLevel']);

const SUBSCRIPTION = 'sub:';
/** What stands there of a release that did not note since when. */
const UNDATED = '1';

/** Sessions of a full pool that are asked at once whether they still live. */
const ASKED_AT_ONCE = 200;

/** What a touch answers: the fields that the script names, in its order, and how many journaled calls run. */
type Loaded = [...(string | null)[], running: number];

/** `apart`: keys of several sessions may not be named in one command, as in a Cluster. */
export function createRedisSessionStore(
  redis: RedisConnection,
  keys: Keys,
  limits: StoreLimits,
  apart: boolean,
): SessionStore {
  const { sessionTtlMs, sessionMaxAgeMs } = limits;
  const lives = [String(sessionTtlMs), String(sessionMaxAgeMs)];
  const stateLimits = [String(limits.stateMaxBytes), String(limits.stateMaxKeys)];
  const firstLife = sessionMaxAgeMs > 0 ? Math.min(sessionTtlMs, sessionMaxAgeMs) : sessionTtlMs;
  /** The index is renewed by each opening and each sweep; this only has to outlive the pause between them. */
  const indexLife = String(sessionTtlMs * 2 + 60_000);

  const load = (sessionId: string, principal?: string): Promise<Loaded | null> =>
    redis.run(
      scripts.touchSession,
      [keys.session(sessionId), keys.state(sessionId), keys.running(sessionId)],
      principal === undefined ? lives : [...lives, principal],
    );

  const change = async (sessionId: string, set: readonly string[], remove: readonly string[]): Promise<boolean> => {
    const args = [String(set.length), ...set, ...remove];
    return (await redis.run<number>(scripts.updateSession, [keys.session(sessionId)], args)) === 1;
  };

  const remove = (sessionId: string): Promise<[there: number, pools: string]> =>
    redis.run(
      scripts.deleteSession,
      [keys.session(sessionId), keys.state(sessionId), keys.streams(sessionId)],
      [keys.sessionTag(sessionId), keys.bus, JSON.stringify({ kind: 'ended', sessionId })],
    );

  /** Puts a session into a sorted set of sessions, unless that has as many as it may. */
  const enter = async (key: string, entry: string, ends: number, limit: number): Promise<boolean> =>
    (await redis.run<number>(scripts.admitSession, [key], [entry, String(ends), String(limit), indexLife])) === 1;

  /**
   * A place in a pool of sessions. One that is full may hold some that have ended: those whose time may be up are asked
   * for, and leave or are noted anew. Each is asked for once in its life time at most, however many are turned away.
   */
  async function enterPool({ pool, limit }: Place, sessionId: string, ends: number): Promise<boolean> {
    const key = keys.sessionPool(pool);
    while (!(await enter(key, sessionId, ends, limit))) {
      const due = [String(Date.now()), 'LIMIT', '0', String(ASKED_AT_ONCE)];
      const members = await redis.command<string[]>(key, 'ZRANGEBYSCORE', key, '-inf', ...due);
      if (members.length === 0) return false;
      await Promise.all(
        members.map(async (id) => {
          const life = await redis.command<number>(keys.session(id), 'PTTL', keys.session(id));
          if (life > 0) await redis.command(key, 'ZADD', key, 'XX', String(Date.now() + life), id);
          else await redis.command(key, 'ZREM', key, id);
        }),
      );
    }
    return true;
  }

  const leavePools = (pools: readonly string[], sessionId: string): Promise<unknown> =>
    Promise.all(pools.map((pool) => redis.command(keys.sessionPool(pool), 'ZREM', keys.sessionPool(pool), sessionId)));

  /** The first of the places that is not to be had; then none is taken. */
  async function enterPools(places: readonly Place[], sessionId: string, ends: number): Promise<Place | undefined> {
    const entered: string[] = [];
    for (const place of places) {
      if (await enterPool(place, sessionId, ends)) entered.push(place.pool);
      else {
        await leavePools(entered, sessionId);
        return place;
      }
    }
    return undefined;
  }

  /** Of each session its life in ms, negative where it has ended, and the pools that it has a place in. */
  const lookAt = async (sessionKeys: readonly string[]): Promise<[life: number, pools: string | null][]> => {
    if (sessionKeys.length === 0) return [];
    if (!apart) return redis.run(scripts.sessionLives, sessionKeys, []);
    // Of a Cluster: sessions are in many slots, and each is asked for by itself.
    const each = sessionKeys.map((key) => redis.run<[number, string | null][]>(scripts.sessionLives, [key], []));
    return (await Promise.all(each)).flat();
  };

  return {
    async create(record, { maxSessions, state = new Map(), places = [] }) {
      const now = record.createdAt;
      const { sessionId } = record;
      const limited = places.filter(({ limit }) => limit > 0);
      const pools = limited.map(({ pool }) => pool);
      const admit = () => enter(keys.sessions, member(record), now + firstLife, maxSessions);
      const fields = encode(record);
      if (pools.length > 0) fields.push('pools', pools.join(' '));
      if (state.size > 0) fields.push('stateBytes', String(bytesOf(state)));
      const store = () =>
        redis.run(
          scripts.createSession,
          [keys.session(record.sessionId), keys.state(record.sessionId)],
          [String(firstLife), String(fields.length / 2), ...fields, ...[...state].flat()],
        );
      // With a cap the place comes first, so that nothing is stored for a session that is refused. Without one both go
      // in one write; an index entry whose record was lost on the way is taken out by the sweep.
      if (maxSessions > 0 || pools.length > 0) {
        const full = await enterPools(limited, sessionId, now + firstLife);
        if (full) return { full };
        if (!(await admit())) {
          await leavePools(pools, sessionId);
          return 'full';
        }
        await store();
      } else {
        await Promise.all([admit(), store()]);
      }
      return 'created';
    },

    async findFull(places) {
      for (const place of places) {
        const key = keys.sessionPool(place.pool);
        const [all, due] = await Promise.all([
          redis.command<number>(key, 'ZCARD', key),
          redis.command<number>(key, 'ZCOUNT', key, '-inf', String(Date.now())),
        ]);
        if (place.limit > 0 && all - due >= place.limit) return place;
      }
      return undefined;
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
      const [there, pools] = await remove(sessionId);
      // A record that ran out before stays in the index until the sweep, which says why it ended. So does one whose
      // node died right here; it is then counted as expired.
      if (there === 1) {
        await Promise.all([
          redis.command(keys.sessions, 'ZREM', keys.sessions, member(session)),
          leavePools(namesOf(pools), sessionId),
        ]);
      }
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
      const lives = await lookAt(due.map((entry) => keys.session(sessionOf(entry))));
      const scores = due.flatMap((entry, i) => {
        const [life = 0] = lives[i] ?? [];
        return life > 0 ? [String(now + life), entry] : [];
      });
      // XX: a session deleted meanwhile must not come back into the index.
      if (scores.length > 0) await redis.command(keys.sessions, 'ZADD', keys.sessions, 'XX', ...scores);
      await Promise.all(
        due.map(async (entry, i) => {
          const [life = 0, pools = null] = lives[i] ?? [];
          const sessionId = sessionOf(entry);
          if (life > 0) {
            // A place lasts as long as its session: no pool runs out while one of its sessions lives.
            for (const pool of namesOf(pools)) await enter(keys.sessionPool(pool), sessionId, now + life, 0);
            return;
          }
          const createdAt = Number(entry.slice(0, entry.indexOf(':')));
          if ((await redis.command<number>(keys.sessions, 'ZREM', keys.sessions, entry)) === 1) {
            // Exactly one sweeper takes the entry out, and that one counts it and removes what is left of the streams.
            await remove(sessionId);
            if (sessionMaxAgeMs > 0 && now >= createdAt + sessionMaxAgeMs) result.maxAge.push(sessionId);
            else result.expired.push(sessionId);
          }
        }),
      );
      return due.length === limit ? { ...result, more: true } : result;
    },

    async subscribe(sessionId, uri, since) {
      const args = [SUBSCRIPTION + uri, SUBSCRIPTION, String(MAX_SUBSCRIPTIONS), since];
      const reply = await redis.run<number>(scripts.addSubscription, [keys.session(sessionId)], args);
      if (reply === -1) throw new TooManySubscriptions();
      return reply === 1;
    },
    unsubscribe: (sessionId, uri) => change(sessionId, [], [SUBSCRIPTION + uri]),
    async subscriptions(sessionId) {
      const found = await redis.run<string[]>(scripts.readSubscriptions, [keys.session(sessionId)], [SUBSCRIPTION]);
      const subscriptions = new Map<string, string>();
      for (let i = 0; i < found.length; i += 2) {
        const [field, since] = found.slice(i, i + 2) as [string, string];
        subscriptions.set(field.slice(SUBSCRIPTION.length), since === UNDATED ? '' : since);
      }
      return subscriptions;
    },

    async getState(sessionId, key) {
      const hash = keys.state(sessionId);
      return (await redis.command<string | null>(hash, 'HGET', hash, key)) ?? undefined;
    },
    async setState(sessionId, key, json) {
      const hashes = [keys.session(sessionId), keys.state(sessionId)];
      const reply = await redis.run<number>(scripts.setState, hashes, [key, json, ...stateLimits]);
      if (reply < 0) throw new StateTooLarge(reply === -1 ? 'bytes' : 'keys', limits);
      return reply === 1;
    },
    async deleteState(sessionId, key) {
      const hashes = [keys.session(sessionId), keys.state(sessionId)];
      return (await redis.run<number>(scripts.deleteState, hashes, [key])) === 1;
    },
    async incrementState(sessionId, key, by) {
      const hashes = [keys.session(sessionId), keys.state(sessionId)];
      const reply = await redis.run<string | number>(scripts.incrementState, hashes, [key, String(by), ...stateLimits]);
      if (reply === -2 || reply === -3) throw new StateTooLarge(reply === -2 ? 'bytes' : 'keys', limits);
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
  const { initialize, protocolVersion, clientInfo } = record;
  const whole = initialize !== undefined && protocolVersion !== undefined && clientInfo !== undefined;
  const packed = whole
    ? { ...record, initialize: packInitialize({ initialize, protocolVersion, clientInfo }) }
    : record;
  const isNew = 'createdAt' in record;
  for (const [name, value] of Object.entries(packed)) {
    if (value !== undefined && !(isNew && value === '' && OPTIONAL.has(name)))
      fields.push(name, typeof value === 'boolean' ? (value ? '1' : '0') : String(value));
  }
  if (isNew) fields.push('lastActive', String(record.createdAt), 'v', RECORD_VERSION);
  return fields;
}

function namesOf(pools: string | null): string[] {
  return pools ? pools.split(' ') : [];
}

/** The id in an entry of the index. */
function sessionOf(entry: string): string {
  return entry.slice(entry.indexOf(':') + 1);
}

function decode(sessionId: string, values: Loaded): SessionRecord {
  const [createdAt, version, transportType, revision, initialize, client, principal, initialized, logLevel, changes] =
    values as (string | null)[];
  const runningCalls = values.at(-1) as number;
  if (!READ_VERSIONS.has(version)) {
    // Of a newer release, during a roll-out: another node can serve it, so the client is to try again and not to give up.
    throw new StoreUnavailable(`a session record has form ${version} and this release reads form ${RECORD_VERSION}`);
  }
  const protocolVersion = revision ?? '';
  const clientInfo = client ?? '';
  return {
    sessionId,
    transportType: transportType as TransportType,
    createdAt: Number(createdAt),
    protocolVersion,
    initialize: unpackInitialize({ initialize: initialize ?? '', protocolVersion, clientInfo }),
    clientInfo,
    principal: principal ?? '',
    initialized: initialized === '1',
    logLevel: logLevel ?? '',
    ...(changes && { changesPosition: changes }),
    ...(runningCalls > 0 && { runningCalls }),
  };
}
