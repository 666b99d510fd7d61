/** The library's second door: a process that has the store but serves nobody, such as a webhook worker. */
import type { Logger } from '../core/logger.js';
import type { Notify } from '../core/server-context.js';
import type { Fleet } from '../mcp/fleet.js';
import type { MemoryState } from '../memory/index.js';
import { createNode, type NodeOptions } from './create-node.js';

export interface FleetOptions
  extends Omit<NodeOptions, 'server' | 'reusable' | 'quiet' | 'fixedLists' | 'port' | 'host' | 'opsPort'> {
  readonly redisUrl?: string;
  readonly memory?: MemoryState;
  readonly logger?: Logger;
}

export interface FleetAccess extends Fleet {
  readonly notify: Notify;
  close(): Promise<void>;
}

/** Joins the fleet without serving. It has a lease and an inbox, so that clients can answer its requests. */
export async function createFleet(options: FleetOptions): Promise<FleetAccess> {
  const server = (): never => {
    throw new Error('this process serves nobody');
  };
  const node = await createNode({ ...options, server, serves: false });
  await node.start();
  return { session: (id) => node.fleet.session(id), notify: node.notify, close: () => node.close() };
}
