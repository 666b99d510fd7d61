/**
 * The embedded store: every port in the memory of one process, with the semantics of Redis.
 *
 * Several nodes of one process share a {@link MemoryState}, each through a `Store` of its own; without one a store is alone.
 * Not here: anything that outlives the process. This is the default of one node and the reference of the contract suite.
 */
import { type Store, type StoreLimits, StoreUnavailable } from '../core/ports/store.js';
import { createMemoryBroker } from './broker.js';
import { createMemoryCallJournal } from './call-journal.js';
import { createMemoryChangeLog } from './change-log.js';
import { createMemoryEventLog, type NodeIdentity } from './event-log.js';
import { createMemoryNodeRegistry } from './node-registry.js';
import { createMemoryRates } from './rates.js';
import { createMemorySecretStore } from './secret-store.js';
import { createMemorySessionStore } from './session-store.js';
import { createMemorySlots } from './slots.js';
import { createMemoryState, type MemoryState } from './state.js';

export { createMemoryState, type MemoryState, type MemoryStateOptions } from './state.js';

export function createMemoryStore(limits: StoreLimits, shared: MemoryState = createMemoryState()): Store {
  const node: NodeIdentity = { token: undefined };
  const broker = createMemoryBroker(shared, node);
  let open = true;
  const isOpen = () => open;
  shared.use();
  return {
    kind: 'memory',
    sessions: whileOpen(createMemorySessionStore(shared, limits), isOpen),
    log: whileOpen(createMemoryEventLog(shared, limits, node), isOpen),
    calls: whileOpen(createMemoryCallJournal(shared, limits), isOpen),
    changes: whileOpen(createMemoryChangeLog(shared, limits), isOpen),
    broker: whileOpen(broker, isOpen),
    nodes: whileOpen(createMemoryNodeRegistry(shared, limits), isOpen),
    slots: whileOpen(createMemorySlots(shared, limits), isOpen),
    rates: whileOpen(createMemoryRates(shared), isOpen),
    secrets: whileOpen(createMemorySecretStore(shared), isOpen),
    ...whileOpen({ async ping() {}, async checkWritable() {} }, isOpen),
    async close() {
      if (!open) return;
      open = false;
      await broker.stop();
      shared.leave();
    },
  };
}

/** The same port, whose methods reject once the store was closed: a node that is going must not find half a store. */
function whileOpen<Port extends object>(port: Port, isOpen: () => boolean): Port {
  const methods = Object.entries(port).map(([name, method]: [string, (...args: unknown[]) => Promise<unknown>]) => [
    name,
    async (...args: unknown[]) => {
      if (!isOpen()) throw new StoreUnavailable('the store was closed');
      return method(...args);
    },
  ]);
  return Object.fromEntries(methods) as Port;
}
