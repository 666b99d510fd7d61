/**
 * Which calls run where, in memory. An entry hangs on its session and ends with it; a node's list is by itself, since it
 * is read when the node is gone.
 *
 * Not here: calls that open a stream of their own; the event log enters and finishes those together with what they send.
 */
import type { CallJournal, CallName } from '../core/ports/call-journal.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { CallList, MemoryState } from './state.js';

/** A list must outlive its node by far more than the survivors need to notice; a lease in tests may be very short. */
const LEAST_LIST_LIFE_MS = 60_000;
const LIST_LIFE_IN_LEASES = 10;

export function createMemoryCallJournal(state: MemoryState, limits: StoreLimits): CallJournal {
  const endOfList = () => state.now() + Math.max(limits.nodeLeaseMs * LIST_LIFE_IN_LEASES, LEAST_LIST_LIFE_MS);

  function find(owner: string): CallList | undefined {
    const list = state.callLists.get(owner);
    if (!list || list.ends.at > state.now()) return list;
    remove(owner, list);
    return undefined;
  }

  function open(owner: string): CallList {
    const ends = state.expiries.add(endOfList(), () => state.callLists.delete(owner));
    const list = { calls: new Map(), ends };
    state.callLists.set(owner, list);
    return list;
  }

  function remove(owner: string, list: CallList): void {
    state.expiries.remove(list.ends);
    state.callLists.delete(owner);
  }

  return {
    async enter({ sessionId, callId }, owner, journal) {
      return state.session(sessionId)?.calls.set(callId, { owner, journal, claims: 0 }) !== undefined;
    },

    async drop({ sessionId, callId }, owner) {
      const calls = state.session(sessionId)?.calls;
      if (calls?.get(callId)?.owner === owner) calls.delete(callId);
    },

    async list(owner, { sessionId, callId }) {
      const list = find(owner) ?? open(owner);
      list.calls.set(nameOf({ sessionId, callId }), { sessionId, callId });
      state.expiries.move(list.ends, endOfList());
    },

    async unlist(owner, call) {
      const list = find(owner);
      if (list?.calls.delete(nameOf(call)) && list.calls.size === 0) remove(owner, list);
    },

    async listed(owner, limit) {
      return [...(find(owner)?.calls.values() ?? [])].slice(0, limit);
    },

    async claim({ sessionId, callId }, from, to, form) {
      const entry = state.session(sessionId)?.calls.get(callId);
      if (!entry) return { outcome: 'over' };
      if (entry.owner !== from && entry.owner !== to) return { outcome: 'held', owner: entry.owner };
      if (!entry.journal.startsWith(form)) return { outcome: 'unknown' };
      if (entry.owner !== to) entry.claims += 1;
      entry.owner = to;
      return { outcome: 'claimed', journal: entry.journal, claims: entry.claims };
    },

    async leave({ sessionId, callId }, owner) {
      const entry = state.session(sessionId)?.calls.get(callId);
      if (entry?.owner === owner) entry.claims -= 1;
    },

    async renew(owner) {
      const list = find(owner);
      if (list) state.expiries.move(list.ends, endOfList());
    },
  };
}

/** One text for both parts; written as JSON, so that no pair of ids can look like another pair. */
function nameOf({ sessionId, callId }: CallName): string {
  return JSON.stringify([sessionId, callId]);
}
