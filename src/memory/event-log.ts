/**
 * Streams as logs, in memory. A stream's entry holds its events, and who tails it.
 *
 * An unfinished stream lives as long as its session; a finished one can be replayed for `streamTtlMs`, then its entry goes
 * with all it holds.
 */
import { type AppendOptions, type EventLog, type LogEntry, MAIN_STREAM } from '../core/ports/event-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import { comparePositions } from './position.js';
import { PositionedLog } from './positioned-log.js';
import type { MemoryState, SessionEntry, StreamEntry } from './state.js';
import { createMemoryTails } from './tails.js';

/**
 * Events above this travel by the log only. Memory would bear any size; the bound is here so that readers meet both kinds
 * of wake-up with either store.
 */
const WAKE_UP_MAX_CHARS = 16_384;

/** Writers try again at once and in order, so that only the newest appends can be asked for. */
const BATCHES_KEPT = 32;

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
      batches: new Map(),
      owned: false,
      holder: undefined,
      former: undefined,
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
      const { batch, again = false, call } = options;
      const existing = find(session, streamId);
      // Before anything else: the try that went through may have taken the call out of the journal.
      const stored = again && batch !== undefined ? existing?.batches.get(batch) : undefined;
      if (stored) return stored;
      if (isFenced(session, streamId, existing, call)) return { outcome: 'fenced' };

      const stream = findOrOpen(session, streamId);
      if (call?.open) {
        stream.owned ||= call.callId === streamId;
        stream.holder = call.open.holder ?? stream.holder;
        session.calls.set(call.callId, { owner: call.owner, journal: call.open.journal, claims: 0 });
      }
      if (call?.finish) session.calls.delete(call.callId);
      const { holder } = stream;
      const previous = stream.events.last;
      const entries = events.map(({ data, end = false }) =>
        stream.events.append(state.now(), (position) => ({ position, data, end })),
      );
      stream.events.trim(limits.streamMaxEvents);
      if (entries.some(({ end }) => end)) finish(session, streamId, stream);
      const outcome = { outcome: 'appended', previous, entries, holder } as const;
      if (batch !== undefined) remember(stream.batches, batch, outcome);
      // The own node's tail is not woken: its caller holds the entries already.
      if (holder && holder.nodeToken !== node.token) {
        const wakeUp = { sessionId, streamId, holder };
        state.wake(holder.nodeToken, isSmall(entries) ? { ...wakeUp, events: { previous, entries } } : wakeUp);
      }
      return outcome;
    },

    /** Nothing to do: a stream that is not finished lives as long as its session here. */
    async renew() {},

    async read(sessionId, streamId, after, limit) {
      const stream = find(state.session(sessionId), streamId);
      const newest = stream?.events.newest;
      // A stream that was only attached to has no log yet.
      if (!stream || !newest) {
        return { known: false, complete: true, over: false, entries: [], holder: stream?.holder };
      }
      const { complete, entries } = stream.events.read(after, limit);
      const readTo = entries.at(-1)?.position ?? after;
      const over = newest.end && comparePositions(readTo, newest.position) >= 0;
      return { known: true, complete, over, entries, holder: stream.holder };
    },

    ...createMemoryTails(state, {
      find: (sessionId, streamId) => find(state.session(sessionId), streamId),
      findOrBegin(sessionId, streamId) {
        const session = state.session(sessionId);
        if (!session) return 'gone';
        // Only the main stream may begin with its reader; any other name would be an invention of the client.
        return streamId === MAIN_STREAM ? findOrOpen(session, streamId) : (find(session, streamId) ?? 'unknown');
      },
    }),
  };
}

/**
 * Whether an append comes from somebody who may not write: to the stream of a call, anybody but that call; for a call,
 * anybody but the node that owns it by the journal. A call that is not in the journal is over, or was lost with its node and
 * finished by another one.
 */
function isFenced(
  { calls }: SessionEntry,
  streamId: string,
  stream: StreamEntry | undefined,
  call: AppendOptions['call'],
): boolean {
  if (stream?.owned && call?.callId !== streamId) return true;
  if (!call) return false;
  const entry = calls.get(call.callId);
  const opensNow = call.open !== undefined && entry === undefined;
  return !opensNow && entry?.owner !== call.owner;
}

function remember<T>(batches: Map<string, T>, batch: string, outcome: T): void {
  batches.set(batch, outcome);
  const [oldest] = batches.keys();
  if (batches.size > BATCHES_KEPT && oldest !== undefined) batches.delete(oldest);
}

function isSmall(entries: readonly LogEntry[]): boolean {
  return entries.reduce((size, { data }) => size + data.length, 0) <= WAKE_UP_MAX_CHARS;
}
