/** Which nodes live, in memory: leases on names and on tokens, both for `nodeLeaseMs`. */
import type { NodeRegistry } from '../core/ports/node-registry.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { MemoryState } from './state.js';

export function createMemoryNodeRegistry(state: MemoryState, limits: StoreLimits): NodeRegistry {
  /** The token lives only together with a name: a node that lost its name must not go on being sent letters. */
  function take(nodeId: string, nodeToken: string): boolean {
    const { nodeLeaseMs } = limits;
    if (!state.names.take(nodeId, nodeToken, nodeLeaseMs)) return false;
    state.knownTokens.add(nodeToken);
    return state.tokens.take(nodeToken, nodeToken, nodeLeaseMs);
  }

  const isAlive = (nodeToken: string) => state.tokens.holderOf(nodeToken) !== undefined;

  return {
    async claim(nodeId, nodeToken) {
      return take(nodeId, nodeToken);
    },

    async heartbeat(nodeId, nodeToken) {
      const held = state.names.holderOf(nodeId) === nodeToken;
      take(nodeId, nodeToken);
      return held;
    },

    async release(nodeId, nodeToken) {
      state.names.release(nodeId, nodeToken);
      state.tokens.release(nodeToken, nodeToken);
    },

    async isAlive(nodeToken) {
      return isAlive(nodeToken);
    },

    async list() {
      return state.names.names().sort();
    },

    async dead() {
      return [...state.knownTokens].filter((token) => !isAlive(token));
    },

    async bury(nodeToken) {
      // It may have come back since it was called dead.
      if (isAlive(nodeToken)) return;
      state.knownTokens.delete(nodeToken);
      const list = state.callLists.get(nodeToken);
      if (list) state.expiries.remove(list.ends);
      state.callLists.delete(nodeToken);
      // No inbox to remove: letters are delivered within the turn, and none are taken for a dead node.
    },

    async lead(duty, nodeToken, forMs) {
      return state.duties.take(duty, nodeToken, forMs);
    },
  };
}
