/**
 * Very many idle sessions in Redis, written by the product's own store, and what a node spends on them: sweeping and
 * `/health`. Their places in the index fall due evenly over a session's life, as those of a fleet in use do.
 */
import { randomUUID } from 'node:crypto';
import { startRedis } from '../../test/support/redis.js';
import { contestant } from '../contestants/index.js';
import { cpuMs } from '../measure/cpu.js';
import { startServer } from '../measure/processes.js';
import { type Inspector, inspector, usedMemory } from './redis-memory.js';

const TTL_MS = 1_800_000;
const AT_ONCE = 500;
const WATCH_MS = 30_000;
const SLOW_MICROSECONDS = 5000;

export async function measureIdle(quick: boolean): Promise<string[]> {
  const lines: string[] = [];
  for (const count of quick ? [10_000] : [100_000, 1_000_000]) lines.push(...(await measure(count)));
  return lines;
}

async function measure(count: number): Promise<string[]> {
  const redis = await startRedis();
  const inspect = inspector(redis.url);
  await inspect.connect();
  try {
    const lines: string[] = [];
    const empty = await baseline(redis.url, redis.pid, { probes: false });
    const used = await usedMemory(inspect);
    await fill(redis.url, count);
    const each = Math.round(((await usedMemory(inspect)) - used) / count);
    lines.push(`${count} idle sessions: ${each} bytes of Redis for each, the index included`);
    await inspect.configSet({ 'slowlog-log-slower-than': String(SLOW_MICROSECONDS) });
    await inspect.sendCommand(['SLOWLOG', 'RESET']);
    await inspect.configResetStat();
    const busy = await baseline(redis.url, redis.pid, { probes: true });
    const slow = await slowCommands(inspect);
    const more = (busy.share - empty.share).toFixed(2);
    const both = `${busy.share.toFixed(2)} % of a core with them, ${empty.share.toFixed(2)} % without sessions and probes`;
    lines.push(
      `  sweep and /health once a second: ${more} % of a core, node and Redis together (${both})`,
      `  commands over ${SLOW_MICROSECONDS / 1000} ms: ${slow.length}${slow.length > 0 ? ` (${slow.join(', ')})` : ''}`,
    );
    if (busy.active !== count) lines.push(`  /health counts ${busy.active} sessions instead of ${count}`);
    return lines;
  } finally {
    inspect.destroy();
    await redis.stop();
  }
}

/** By the clock on the wall: on a machine that does other things as well, time in which Redis did not run counts too. */
async function slowCommands(inspect: Inspector): Promise<string[]> {
  const entries = (await inspect.sendCommand(['SLOWLOG', 'GET', '20'])) as unknown as [
    id: number,
    at: number,
    microseconds: number,
    args: string[],
  ][];
  return entries.map(
    ([, , microseconds, [name = '', second = '']]) =>
      `${name} ${second.slice(0, 24)} ${(microseconds / 1000).toFixed(1)} ms`,
  );
}

/** Processor time of a node and of Redis while nothing but probes comes in, or nothing at all, in percent of a core. */
async function baseline(
  redisUrl: string,
  redisPid: number,
  { probes }: { readonly probes: boolean },
): Promise<{ readonly share: number; readonly active: number }> {
  const node = await startServer(contestant('anynode-reusable'), redisUrl);
  try {
    // What starting costs is over by then.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const cpu = (): number => cpuMs(node.pid) + cpuMs(redisPid);
    const before = cpu();
    const started = performance.now();
    let active = 0;
    while (performance.now() - started < WATCH_MS) {
      if (probes) {
        const response = await fetch(`http://127.0.0.1:${node.port}/health`);
        active = ((await response.json()) as { activeSessions: number }).activeSessions;
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return { share: ((cpu() - before) / (performance.now() - started)) * 100, active };
  } finally {
    await node.stop();
  }
}

async function fill(url: string, count: number): Promise<void> {
  const built = (path: string): Promise<never> =>
    import(new URL(`../../dist/${path}`, import.meta.url).href) as Promise<never>;
  const { createRedisStore } = (await built('redis/index.js')) as typeof import('../../src/redis/index.js');
  const { parseRedisUrl } = (await built('app/redis-url.js')) as typeof import('../../src/app/redis-url.js');
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  const store = await createRedisStore({
    target: parseRedisUrl(url),
    keyPrefix: '',
    limits: {
      sessionTtlMs: TTL_MS,
      sessionMaxAgeMs: 0,
      streamTtlMs: 300_000,
      streamMaxEvents: 10_000,
      stateMaxBytes: 4_194_304,
      stateMaxKeys: 10_000,
      nodeLeaseMs: 6000,
    },
    timeoutMs: 10_000,
    logger: silent,
  });
  const handshake = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {}, roots: { listChanged: true } },
    clientInfo: { name: 'bench', version: '1.0.0' },
  };
  const initialize = JSON.stringify(handshake);
  const clientInfo = JSON.stringify(handshake.clientInfo);
  const now = Date.now();
  for (let i = 0; i < count; i += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, k) =>
        store.sessions.create(
          {
            sessionId: randomUUID(),
            transportType: 'streamable',
            createdAt: now - Math.floor(((i + k) * (TTL_MS - 60_000)) / count),
            protocolVersion: handshake.protocolVersion,
            initialize,
            clientInfo,
            principal: '',
            initialized: true,
            logLevel: '',
          },
          { maxSessions: 0 },
        ),
      ),
    );
  }
  await store.close();
}
