/**
 * Streams as logs, in memory. A stream's entry holds its events, its owner and who tails it.
 *
 * An unfinished stream lives as long as its session; a finished one can be replayed for `streamTtlMs`, then its entry goes
 * with all it holds.
 */
import type { EventLog, LogEntry, TailHolder } from '../core/ports/event-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import { PositionedLog } from './positioned-log.js';
import type { MemoryState, SessionEntry, StreamEntry } from './state.js';

/**
 * Events above this travel by the log only. Memory would bear any size; the bound is here so that readers meet both kinds
 * of wake-up with either store.
 */
const WAKE_UP_MAX_CHARS = 16_384;

/** Which node this view belongs to; unknown until its broker was started. */
export interface NodeIdentity {
  token: string | undefined;
}

export function createMemoryEventLog(state: MemoryState, limits: StoreLimits, node: NodeIdentity): EventLog {
  function find(session: SessionEntry | undefined, streamId: string): StreamEntry | undefined {
    const stream = session?.streams.get(streamId);
    if (!stream?.ends || stream.ends.at > state.now()) return stream;
    state.expiries.remove(stream.ends);
    session?.streams.delete(streamId);
    return undefined;
  }

  function findOrOpen(session: SessionEntry, streamId: string): StreamEntry {
    const existing = find(session, streamId);
    if (existing) return existing;
    const stream: StreamEntry = {
      events: new PositionedLog(),
      owner: undefined,
      holder: undefined,
      delivered: undefined,
      ends: undefined,
    };
    session.streams.set(streamId, stream);
    return stream;
  }

  function finish(session: SessionEntry, streamId: string, stream: StreamEntry): void {
    const endsAt = state.now() + limits.streamTtlMs;
    if (stream.ends) state.expiries.move(stream.ends, endsAt);
    else stream.ends = state.expiries.add(endsAt, () => session.streams.delete(streamId));
  }

  return {
    async append(sessionId, streamId, events, options = {}) {
      const session = state.session(sessionId);
      if (!session) return { outcome: 'gone' };
      const { owner, open } = options;
      if (!open && find(session, streamId)?.owner !== owner) return { outcome: 'fenced' };
      const stream = findOrOpen(session, streamId);
      if (open) {
        // The new owner of a stream whose node died has no connection to offer; the client's own may be back already.
        stream.owner = owner;
        stream.holder = open.holder ?? stream.holder;
      }
      const { holder } = stream;
      const previous = stream.events.last;
      const entries = events.map(({ data, end = false }) =>
        stream.events.append(state.now(), (position) => ({ position, data, end })),
      );
      stream.events.trim(limits.streamMaxEvents);
      if (entries.some(({ end }) => end)) finish(session, streamId, stream);
      // The own node's tail is not woken: its caller holds the entries already.
      if (holder && holder.nodeToken !== node.token) {
        const wakeUp = { sessionId, streamId, holder };
        state.wake(holder.nodeToken, isSmall(entries) ? { ...wakeUp, events: { previous, entries } } : wakeUp);
      }
      return { outcome: 'appended', previous, entries, holder };
    },

    async read(sessionId, streamId, after, limit) {
      const stream = find(state.session(sessionId), streamId);
      // A stream that was only attached to has no log yet.
      if (!stream || stream.events.length === 0) return { known: false, complete: true, entries: [] };
      return { known: true, ...stream.events.read(after, limit) };
    },

    async attachTail(sessionId, streamId, holder, { takeOver }) {
      const session = state.session(sessionId);
      if (!session) return { outcome: 'gone' };
      const stream = findOrOpen(session, streamId);
      const former = stream.holder;
      if (former && !isSame(former, holder)) {
        if (!takeOver) return { outcome: 'held', holder: former };
        state.wake(former.nodeToken, { sessionId, streamId, holder });
      }
      stream.holder = holder;
      return { outcome: 'attached', delivered: stream.delivered };
    },

    async recordDelivered(sessionId, streamId, holder, delivered) {
      const stream = find(state.session(sessionId), streamId);
      if (stream?.holder && isSame(stream.holder, holder)) stream.delivered = delivered;
    },

    async detachTail(sessionId, streamId, holder, delivered) {
      const stream = find(state.session(sessionId), streamId);
      if (!stream?.holder || !isSame(stream.holder, holder)) return;
      stream.delivered = delivered;
      stream.holder = undefined;
      // Told by the log itself, so that no caller can give a stream up and forget those who wait for it.
      state.signal({ kind: 'tail-free', sessionId, streamId });
    },

    async tailHolder(sessionId, streamId) {
      return find(state.session(sessionId), streamId)?.holder;
    },
  };
}

function isSame(a: TailHolder, b: TailHolder): boolean {
  return a.nodeToken === b.nodeToken && a.connectionId === b.connectionId;
}

function isSmall(entries: readonly LogEntry[]): boolean {
  return entries.reduce((size, { data }) => size + data.length, 0) <= WAKE_UP_MAX_CHARS;
}
