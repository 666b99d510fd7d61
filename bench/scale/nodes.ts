/** A fixed load on one, two and three nodes, each session on all of them in turn: what the fleet costs altogether. */
import { startRedis } from '../../test/support/redis.js';
import { contestant } from '../contestants/index.js';
import { Connection } from '../load/connection.js';
import { openSession, rpc } from '../load/messages.js';
import { cpuMs } from '../measure/cpu.js';
import { type Server, startServer } from '../measure/processes.js';
import { median } from '../measure/stats.js';

const SESSIONS = 64;
/** Requests a second, well below what one node can serve: a node that is never idle batches, and looks cheaper. */
const RATE = 1500;

export async function measureNodes(quick: boolean): Promise<string[]> {
  const redis = await startRedis();
  const nodes: Server[] = [];
  try {
    for (let i = 0; i < 3; i += 1) nodes.push(await startServer(contestant('anynode-reusable'), redis.url));
    const opener = await Connection.open((nodes[0] as Server).port);
    const sessions: string[] = [];
    for (let i = 0; i < SESSIONS; i += 1) sessions.push(await openSession(opener));
    opener.close();
    const rounds = quick ? 3 : 7;
    const samples: number[][] = [[], [], []];
    for (const node of nodes) await drive([node], sessions, 2);
    // Interleaved as everywhere; what nodes spend while they are idle is not the price of a request.
    for (let round = 0; round < rounds; round += 1) {
      for (let count = 1; count <= 3; count += 1) {
        samples[count - 1]?.push(await drive(nodes.slice(0, count), sessions, quick ? 2 : 4));
      }
    }
    const medians = samples.map(median);
    const [one = Number.NaN] = medians;
    return medians.map((cpu, i) => {
      const more = ((cpu / one - 1) * 100).toFixed(1);
      return `${i + 1} ${i === 0 ? 'node' : 'nodes'} at ${RATE} calls a second: ${cpu.toFixed(4)} ms of processor time per call (${more} %)`;
    });
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await redis.stop();
  }
}

/** Total processor time of the nodes per request. */
async function drive(nodes: readonly Server[], sessions: readonly string[], seconds: number): Promise<number> {
  const requests = sessions.map((sessionId) =>
    rpc((nodes[0] as Server).contestant, sessionId, 'tools/call', {
      name: 'forecast-1',
      arguments: { city: 'Lisbon' },
    }),
  );
  const connections = await Promise.all(
    nodes.map(({ port }) => Promise.all(Array.from({ length: 48 / nodes.length }, () => Connection.open(port)))),
  );
  const free = connections.map((some) => [...some]);
  const total = (): number => nodes.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  const before = total();
  const started = performance.now();
  const running = new Set<Promise<void>>();
  let sent = 0;
  while (performance.now() - started < seconds * 1000) {
    const due = Math.floor(((performance.now() - started) * RATE) / 1000);
    for (; sent < due; sent += 1) {
      const pool = free[sent % nodes.length] as Connection[];
      const connection = pool.pop();
      // All are busy: the rest of this turn waits for the next one.
      if (!connection) break;
      const run = connection.request(requests[sent % requests.length] as string).then(({ status }) => {
        if (status !== 200) throw new Error(`status ${status}`);
        pool.push(connection);
      });
      running.add(run);
      void run.finally(() => running.delete(run));
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(running);
  const cpu = (total() - before) / sent;
  for (const connection of connections.flat()) connection.close();
  return cpu;
}
