/** What the suites on streams share: a fleet, and a process beside it that sends to sessions as a webhook worker does. */
import { createFleet, type FleetAccess } from '../../src/index.js';
import type { Fleet } from '../support/fleet.js';
import type { RpcMessage } from '../support/json-rpc.js';

/** States its sentences once; fleet and worker exist only when they run. */
export type StreamSuite = (fleet: () => Fleet, worker: () => FleetAccess) => void;

export function startWorker(fleet: Fleet, nodeLeaseMs = 6000): Promise<FleetAccess> {
  return createFleet({ redisUrl: fleet.redis.url, nodeLeaseMs, logLevel: 'silent' });
}

const METHOD = 'notifications/message';

/** A message of the session that can be told from all others. */
export const sendNumber = (worker: FleetAccess, sessionId: string, number: number, padding = ''): Promise<void> =>
  worker.session(sessionId).notify(METHOD, { level: 'info', data: { number, padding } });

/** Undefined: something else. */
export const numberOf = (message: RpcMessage | undefined): number | undefined =>
  message?.method === METHOD ? message.params.data?.number : undefined;

export const numbersOf = (messages: readonly RpcMessage[]): number[] =>
  messages.flatMap((message) => numberOf(message) ?? []);

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const urlOf = (fleet: Fleet, node: number): string => fleet.nodeUrls[node] as string;
