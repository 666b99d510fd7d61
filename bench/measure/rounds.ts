/** Interleaved rounds: A B C, A B C, ... so that what else the machine does falls on all alike; medians over the rounds. */
import type { Connection } from '../load/connection.js';
import type { Send } from '../workloads/requests.js';
import { cpuMs } from './cpu.js';
import { median } from './stats.js';

export interface Lane {
  readonly id: string;
  readonly pids: readonly number[];
  readonly connections: readonly Connection[];
  readonly send: Send;
}

export interface Figure {
  readonly id: string;
  /** Milliseconds of processor time per request, median over rounds. */
  readonly cpu: number;
  /** The same of Redis. */
  readonly redisCpu: number;
  readonly lowest: number;
  readonly highest: number;
  readonly requests: number;
}

/** Requests are sent on all connections, one after the other on each, for `ms`. */
export async function drive({ connections, send }: Lane, ms: number): Promise<number> {
  const end = performance.now() + ms;
  let next = 0;
  let done = 0;
  const run = async (connection: Connection): Promise<void> => {
    while (performance.now() < end) {
      await send(connection, next++);
      done += 1;
    }
  };
  await Promise.all(connections.map(run));
  return done;
}

export async function measure(
  lanes: readonly Lane[],
  options: { readonly rounds: number; readonly ms: number; readonly warmUpMs: number; readonly redisPid: number },
): Promise<Figure[]> {
  const samples = new Map(lanes.map(({ id }) => [id, [] as { cpu: number; redisCpu: number; requests: number }[]]));
  const cpuOf = ({ pids }: Lane): number => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
  for (const lane of lanes) await drive(lane, options.warmUpMs);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const lane of lanes) {
      const before = [cpuOf(lane), cpuMs(options.redisPid)] as const;
      const requests = await drive(lane, options.ms);
      const cpu = (cpuOf(lane) - before[0]) / requests;
      const redisCpu = (cpuMs(options.redisPid) - before[1]) / requests;
      samples.get(lane.id)?.push({ cpu, redisCpu, requests });
    }
  }
  return [...samples].map(([id, rounds]) => ({
    id,
    cpu: median(rounds.map(({ cpu }) => cpu)),
    redisCpu: median(rounds.map(({ redisCpu }) => redisCpu)),
    lowest: Math.min(...rounds.map(({ cpu }) => cpu)),
    highest: Math.max(...rounds.map(({ cpu }) => cpu)),
    requests: rounds.reduce((sum, { requests }) => sum + requests, 0),
  }));
}
