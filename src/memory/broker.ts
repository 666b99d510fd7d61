/**
 * Letters and signals between the nodes of one process.
 *
 * An inbox is the node's delivery queue: memory that outlives nobody, so durable means "until the process ends", like
 * everything else in this store. Nothing is ever lost on the way, hence `onGap` is never called.
 */
import type { Broker } from '../core/ports/broker.js';
import type { NodeIdentity } from './event-log.js';
import type { MemoryState } from './state.js';

export function createMemoryBroker(state: MemoryState, node: NodeIdentity): Broker {
  return {
    async start(nodeToken, handlers) {
      if (node.token !== undefined) throw new Error('this broker was started already');
      state.connect(nodeToken, handlers);
      node.token = nodeToken;
    },

    async post(nodeToken, letter) {
      const copy = { ...letter };
      return state.deliver(nodeToken, (handlers) => handlers.onLetter(copy));
    },

    async signal(signal) {
      state.signal({ ...signal });
    },

    async depth() {
      return node.token === undefined ? 0 : state.waiting(node.token);
    },

    async stop() {
      if (node.token === undefined) return;
      state.disconnect(node.token);
      node.token = undefined;
    },
  };
}
