/** Which nodes live, in memory: leases on names and on tokens, both for `nodeLeaseMs`. */
import type { NodeRegistry } from '../core/ports/node-registry.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { MemoryState } from './state.js';

export function createMemoryNodeRegistry(state: MemoryState, limits: StoreLimits): NodeRegistry {
  /** The token lives only together with a name: a node that lost its name must not go on being sent letters. */
  function take(nodeId: string, nodeToken: string): boolean {
    const { nodeLeaseMs } = limits;
    return state.names.take(nodeId, nodeToken, nodeLeaseMs) && state.tokens.take(nodeToken, nodeToken, nodeLeaseMs);
  }

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
      return state.tokens.holderOf(nodeToken) !== undefined;
    },

    async list() {
      return state.names.names().sort();
    },

    async lead(duty, nodeToken, forMs) {
      return state.duties.take(duty, nodeToken, forMs);
    },
  };
}
