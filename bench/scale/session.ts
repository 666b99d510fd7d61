/** Redis bytes of one session, of its open stream and of one event; node memory with many idle sessions. */
import { startRedis } from '../../test/support/redis.js';
import { contestant } from '../contestants/index.js';
import { Connection } from '../load/connection.js';
import { openSession, rpc } from '../load/messages.js';
import { startServer } from '../measure/processes.js';
import { openSessions, openStream } from '../workloads/streams.js';
import { bytesOfKeys, inspector, sum, usedMemory } from './redis-memory.js';

const CALLS = 10;

export async function measureSession(quick: boolean): Promise<string[]> {
  const redis = await startRedis();
  const inspect = inspector(redis.url);
  await inspect.connect();
  const node = await startServer(contestant('anynode-reusable'), redis.url);
  const lines: string[] = [];
  try {
    const connection = await Connection.open(node.port);
    const sessionId = await openSession(connection);
    const ask = (name: string, more: object = {}) =>
      connection.request(
        rpc(node.contestant, sessionId, 'tools/call', { name, arguments: { city: 'Lisbon' }, ...more }),
      );
    await ask('forecast-1');
    const idle = sum(await bytesOfKeys(inspect, sessionId));
    lines.push(`Redis bytes of a session that was opened and used: ${idle}`);
    const stream = await openStream(node.port, sessionId);
    const open = sum(await bytesOfKeys(inspect, sessionId));
    lines.push(`Redis bytes that its open stream adds: ${open - idle}`);
    for (let i = 0; i < CALLS; i += 1) await ask('steps', { _meta: { progressToken: i } });
    const logs = [...(await bytesOfKeys(inspect, sessionId))].filter(([key]) => key.includes(':log:'));
    // Ten steps, the first event without data, and the answer.
    const events = CALLS * 12;
    lines.push(`Redis bytes of an event, in logs of ${events / CALLS}: ${Math.round(sum(new Map(logs)) / events)}`);
    stream.close();
    connection.close();

    const count = quick ? 1000 : 10_000;
    await openSessions(node.port, 500);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const before = await node.weigh();
    const used = await usedMemory(inspect);
    await openSessions(node.port, count);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const after = await node.weigh();
    const grown = (after.heapUsed + after.external - before.heapUsed - before.external) / 1024 / 1024;
    lines.push(
      `node memory that ${count} idle sessions add: heap ${grown.toFixed(2)} MB, resident ${((after.rss - before.rss) / 1024 / 1024).toFixed(1)} MB`,
    );
    lines.push(
      `Redis bytes for each of them, the index included: ${Math.round(((await usedMemory(inspect)) - used) / count)}`,
    );
  } finally {
    await node.stop();
    inspect.destroy();
    await redis.stop();
  }
  return lines;
}
