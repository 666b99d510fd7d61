/** What an operator would ask of Redis, asked once: its own words about itself, and how quickly it answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../core/logger.js';
import type { RedisTarget } from '../core/redis-target.js';
import { RedisClient } from './client.js';
import { createTopology } from './create-topology.js';
import { FaultReports } from './faults.js';
import { Keys } from './keys.js';

const PINGS = 21;
const LOOK_MS = 50;
const SETTINGS = ['maxmemory-policy', 'appendonly', 'save', 'timeout', 'client-output-buffer-limit'];

export interface RedisInspection {
  readonly info: Readonly<Record<string, string>>;
  /** Undefined: the server refuses to tell. */
  readonly config: Readonly<Record<string, string>> | undefined;
  readonly pingsMs: readonly number[];
  /** Nodes registered under the prefix. */
  readonly nodes: number;
}

/** Of a Cluster, one of its masters is asked. @throws what connecting or asking throws, after `timeoutMs` at the latest. */
export async function inspectRedis(
  target: RedisTarget,
  keyPrefix: string,
  timeoutMs: number,
): Promise<RedisInspection> {
  let fault: Error | undefined;
  const onError = (error: Error): void => {
    fault = error;
  };
  // What is wrong is told by the error that is thrown, and to nobody else.
  const reports = new FaultReports(silentLogger, target.tls !== undefined);
  const topology = createTopology({ target, timeoutMs, reports });
  const link = { access: target, connectTimeout: timeoutMs };
  const client = new RedisClient({ topology, link, eager: true, onError });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // The client would try for ever; what stopped it last is the reason.
    timer = setTimeout(() => reject(fault ?? new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([ask(client, new Keys(keyPrefix), timeoutMs), late]);
  } finally {
    clearTimeout(timer);
    client.destroy();
    topology.close();
  }
}

async function ask(client: RedisClient, keys: Keys, timeoutMs: number): Promise<RedisInspection> {
  const send = (...args: string[]): Promise<unknown> => client.send(keys.nodes, args);
  for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(LOOK_MS)) {
    if (
      await send('PING').then(
        () => true,
        () => false,
      )
    )
      break;
  }
  const info = parseInfo(String(await send('INFO')));
  const config = await send('CONFIG', 'GET', ...SETTINGS).then(
    (reply) => parsePairs(reply as string[]),
    () => undefined,
  );
  const pingsMs: number[] = [];
  for (let i = 0; i < PINGS; i += 1) {
    const since = performance.now();
    await send('PING');
    pingsMs.push(performance.now() - since);
  }
  return { info, config, pingsMs, nodes: Number(await send('ZCARD', keys.nodes)) };
}

function parseInfo(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

function parsePairs(reply: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (let i = 0; i + 1 < reply.length; i += 2) pairs[String(reply[i])] = String(reply[i + 1]);
  return pairs;
}
