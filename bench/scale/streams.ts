/** One node with ten thousand open streams, and a change that reaches them all. */
import { readFileSync } from 'node:fs';
import { startRedis } from '../../test/support/redis.js';
import { contestant } from '../contestants/index.js';
import type { Connection } from '../load/connection.js';
import { cpuMs } from '../measure/cpu.js';
import { startServer } from '../measure/processes.js';
import { inBatches, openSessions, openStream } from '../workloads/streams.js';

const CHANGES = 5;
/** Left for everything that is not a stream. */
const SPARE_FILES = 200;

/** Each stream is a file here and another one in the node. */
function most(wanted: number): number {
  const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024);
  return Math.min(wanted, limit - SPARE_FILES);
}

export async function measureStreams(quick: boolean): Promise<string[]> {
  const count = most(quick ? 1000 : 10_000);
  const redis = await startRedis();
  const node = await startServer(contestant('anynode-reusable'), redis.url);
  const open: Connection[] = [];
  const lines: string[] = [];
  try {
    const sessions = await openSessions(node.port, count);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const before = await node.weigh();
    let heard = 0;
    let everybody: () => void = () => {};
    const onText = (text: string): void => {
      // Called with all that has come; the newest piece ends it.
      if (!text.endsWith('\n\n') && !text.endsWith('\n\n\r\n')) return;
      if (!text.includes('list_changed')) return;
      heard += 1;
      if (heard === count) everybody();
    };
    await inBatches(count, async (i) => void open.push(await openStream(node.port, sessions[i] as string, onText)));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const after = await node.weigh();
    lines.push(
      `${count} open streams: heap ${kilobytes(after.heapUsed - before.heapUsed, count)} KB, resident ${kilobytes(after.rss - before.rss, count)} KB for each`,
    );
    const idleFrom = cpuMs(node.pid);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    lines.push(
      `processor time of the node while they are idle: ${((cpuMs(node.pid) - idleFrom) / 10).toFixed(1)} ms a second`,
    );
    const took: number[] = [];
    const cpu = cpuMs(node.pid);
    for (let i = 0; i < CHANGES; i += 1) {
      heard = 0;
      const all = new Promise<void>((resolve) => {
        everybody = resolve;
      });
      const started = performance.now();
      await node.change();
      await Promise.race([
        all,
        new Promise((_, reject) =>
          setTimeout(() => reject(new Error(`a change reached ${heard} of ${count}`)), 20_000).unref(),
        ),
      ]);
      took.push(performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    lines.push(
      `a change reaches all of them in ${took.map((ms) => Math.round(ms)).join(', ')} ms, with ${Math.round((cpuMs(node.pid) - cpu) / CHANGES)} ms of processor time`,
    );
  } finally {
    for (const connection of open) connection.close();
    await node.stop();
    await redis.stop();
  }
  return lines;
}

const kilobytes = (bytes: number, count: number): string => (bytes / count / 1024).toFixed(1);
