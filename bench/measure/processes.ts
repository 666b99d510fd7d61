/**
 * The processes of the bench: each contestant is one of its own. All are ended by their pids, at the end, at Ctrl-C and
 * when the bench itself fails.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Contestant } from '../contestants/index.js';
import type { Weight } from '../contestants/ready.js';

const START_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 5000;

export interface Server {
  readonly contestant: Contestant;
  readonly pid: number;
  readonly port: number;
  /** After a garbage collection. */
  weigh(): Promise<Weight>;
  /** anynode only: tells the fleet that the tools have changed; resolves when that is stored. */
  change(): Promise<void>;
  stop(): Promise<void>;
}

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

export async function startServer(
  contestant: Contestant,
  redisUrl: string,
  more: Readonly<Record<string, string>> = {},
  nodeArguments: readonly string[] = [],
): Promise<Server> {
  const env = {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    ...(contestant.needsRedis && { REDIS_URL: redisUrl }),
    ...contestant.env,
    ...more,
  };
  const child = spawn(process.execPath, ['--expose-gc', ...nodeArguments, '--import', 'tsx', contestant.module], {
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const listening = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      const { msg, port, level } = line.startsWith('{') ? JSON.parse(line) : { level: 'error' };
      if (msg === 'listening') resolve(port);
      if (level === 'error' || level === 'warn') process.stderr.write(`${contestant.id}: ${line}\n`);
    });
  });
  children.add(child);
  const exited = once(child, 'exit').then(() => void children.delete(child));
  const answer = async <T>(field: string, deadlineMs: number): Promise<T> => {
    const deadline = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const [message] = (await Promise.race([
        once(child, 'message', { signal: deadline }),
        exited.then(() => Promise.reject(new Error(`${contestant.id} ended`))),
      ])) as [Record<string, T>];
      if (field in message) return message[field] as T;
    }
  };
  // A node says it in its log, the others say it to the bench.
  const port = await Promise.race([listening, answer<number>('port', START_DEADLINE_MS)]);
  const ask = <T>(question: string, field: string): Promise<T> => {
    const answered = answer<T>(field, START_DEADLINE_MS);
    child.send(question);
    return answered;
  };
  return {
    contestant,
    pid: child.pid as number,
    port,
    weigh: () => ask('weigh', 'weight'),
    change: async () => void (await ask('change', 'changed')),
    async stop() {
      child.kill('SIGTERM');
      const overdue = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await exited;
      clearTimeout(overdue);
    },
  };
}
