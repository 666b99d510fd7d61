/**
 * The fleet's changes, in memory: one log, kept for `streamTtlMs`.
 *
 * Old entries leave with each use; an expiry that each append pushes further empties a log that nobody uses any more.
 */
import type { ChangeEntry, ChangeLog } from '../core/ports/change-log.js';
import { START } from '../core/ports/event-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { Expiry } from './expiry-queue.js';
import { comparePositions, timeOf } from './position.js';
import type { MemoryState } from './state.js';

/**
 * A server that reports changes in a loop must not fill the memory before they age out; whoever is further behind than this
 * is told so by `complete: false`, as one who comes too late.
 */
const MAX_CHANGES = 10_000;

export function createMemoryChangeLog(state: MemoryState, limits: StoreLimits): ChangeLog {
  let ends: Expiry | undefined;

  function dropOld(): void {
    const now = state.now();
    state.changes.dropWhile(({ position }) => timeOf(position) + limits.streamTtlMs <= now);
  }

  function postponeEnd(): void {
    if (ends) state.expiries.remove(ends);
    ends = state.expiries.add(state.now() + limits.streamTtlMs, dropOld);
  }

  return {
    async append(change) {
      dropOld();
      const previous = state.changes.last;
      const entry: ChangeEntry = state.changes.append(state.now(), (position) => ({ position, change }));
      state.changes.trim(MAX_CHANGES);
      postponeEnd();
      state.deliverToAll((handlers) => handlers.onChange(previous, entry));
      return entry.position;
    },

    async read(after, limit) {
      dropOld();
      const { last } = state.changes;
      const { complete, entries } = state.changes.read(after, limit);
      // A position that the log has not come to is no better than one before what is kept.
      return { complete: complete && (last === START || comparePositions(after, last) <= 0), entries };
    },

    async latest() {
      return state.changes.last;
    },
  };
}
