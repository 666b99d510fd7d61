/**
 * Sessions in memory. Every method runs to its end without giving way, which makes each of them atomic.
 *
 * A session's state, subscriptions and logs hang on its entry: where the entry is gone there is nothing left to write to, so
 * that no write can bring a session back.
 * Not here: telling nodes of sessions that expire; they ask with `renew`, as with Redis.
 */
import { stateFault } from '../core/limits/state-size.js';
import {
  MAX_SUBSCRIPTIONS,
  type SessionStore,
  type SweepResult,
  TooManySubscriptions,
} from '../core/ports/session-store.js';
import type { Place } from '../core/ports/slots.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { MemoryState, SessionEntry } from './state.js';

export function createMemorySessionStore(state: MemoryState, limits: StoreLimits): SessionStore {
  function renew(session: SessionEntry): void {
    state.expiries.move(session.ends, Math.min(state.now() + limits.sessionTtlMs, session.ageEndsAt));
  }

  /** Sessions that ran out make room before anybody is turned away. */
  function isFull(maxSessions: number): boolean {
    while (state.sessions.size >= maxSessions && state.expiries.endDue(state.now(), 1) > 0);
    return state.sessions.size >= maxSessions;
  }

  function isPoolFull({ pool, limit }: Place): boolean {
    const members = state.sessionPools.get(pool);
    if (limit === 0 || !members || members.size < limit) return false;
    // Sessions that ran out give their places back before anybody is turned away.
    state.clean();
    return members.size >= limit;
  }

  return {
    async create(record, { maxSessions, state: firstState, places = [] }) {
      if (maxSessions > 0 && isFull(maxSessions)) return 'full';
      const full = places.find(isPoolFull);
      if (full) return { full };
      const { sessionId } = record;
      const former = state.sessions.get(sessionId);
      if (former) state.removeSession(former);
      const ageEndsAt = limits.sessionMaxAgeMs > 0 ? record.createdAt + limits.sessionMaxAgeMs : Infinity;
      const endsAt = Math.min(state.now() + limits.sessionTtlMs, ageEndsAt);
      state.sessions.set(sessionId, {
        record: { ...record },
        ageEndsAt,
        ends: state.expiries.add(endsAt, () => state.expireSession(sessionId)),
        state: new Map(firstState),
        subscriptions: new Map(),
        streams: new Map(),
        calls: new Map(),
        pools: places.filter(({ limit }) => limit > 0).map(({ pool }) => pool),
      });
      for (const { pool, limit } of places) if (limit > 0) state.enterPool(pool, sessionId);
      return 'created';
    },

    async findFull(places) {
      return places.find(isPoolFull);
    },

    async touch(sessionId, principal) {
      const session = state.session(sessionId);
      if (!session || (principal !== undefined && session.record.principal !== principal)) return undefined;
      renew(session);
      return session.calls.size === 0 ? session.record : { ...session.record, runningCalls: session.calls.size };
    },

    async update(sessionId, changes) {
      const session = state.session(sessionId);
      // A new object: whoever loaded the record before keeps what it loaded.
      if (session) session.record = { ...session.record, ...changes };
      return session !== undefined;
    },

    async renew(sessionIds) {
      return sessionIds.filter((sessionId) => {
        const session = state.session(sessionId);
        if (session) renew(session);
        return session === undefined;
      });
    },

    async delete({ sessionId }) {
      const session = state.session(sessionId);
      if (!session) return false;
      state.removeSession(session);
      state.signal({ kind: 'ended', sessionId });
      return true;
    },

    async count() {
      state.clean();
      return state.sessions.size;
    },

    async sweep(limit) {
      state.expiries.endDue(state.now(), limit);
      return report(state.unreported, limit);
    },

    async subscribe(sessionId, uri, since) {
      const held = state.session(sessionId)?.subscriptions;
      if (held?.has(uri)) return true;
      if (held && held.size >= MAX_SUBSCRIPTIONS) throw new TooManySubscriptions();
      return held?.set(uri, since) !== undefined;
    },

    async unsubscribe(sessionId, uri) {
      const session = state.session(sessionId);
      session?.subscriptions.delete(uri);
      return session !== undefined;
    },

    async subscriptions(sessionId) {
      return new Map(state.session(sessionId)?.subscriptions);
    },

    async getState(sessionId, key) {
      return state.session(sessionId)?.state.get(key);
    },

    async setState(sessionId, key, json) {
      const values = state.session(sessionId)?.state;
      const fault = values && stateFault(values, key, json, limits);
      if (fault) throw fault;
      return values?.set(key, json) !== undefined;
    },

    async deleteState(sessionId, key) {
      return state.session(sessionId)?.state.delete(key) ?? false;
    },

    async incrementState(sessionId, key, by) {
      const values = state.session(sessionId)?.state;
      if (!values) return undefined;
      const sum = numberOf(values.get(key), key) + by;
      // JSON has no word for it, and a later reader would find `null`.
      if (!Number.isFinite(sum)) throw new TypeError(`state ${JSON.stringify(key)} plus ${by} is no finite number`);
      const json = JSON.stringify(sum);
      const fault = stateFault(values, key, json, limits);
      if (fault) throw fault;
      values.set(key, json);
      return sum;
    },
  };
}

/** Takes up to `limit` sessions out of what is not reported yet. */
function report(unreported: { expired: string[]; maxAge: string[] }, limit: number): SweepResult {
  const expired = unreported.expired.splice(0, limit);
  return { expired, maxAge: unreported.maxAge.splice(0, limit - expired.length) };
}

function numberOf(json: string | undefined, key: string): number {
  const value: unknown = json === undefined ? 0 : parse(json);
  if (typeof value !== 'number') throw new TypeError(`state ${JSON.stringify(key)} is not a number`);
  return value;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
