/** A fixed load on one, two and three nodes, each session on all of them in turn: what the fleet costs altogether. */
import { startRedis } from '../../test/support/redis.js';
import { type Contestant, contestant } from '../contestants/index.js';
import { Connection } from '../load/connection.js';
import { openSession, rpc } from '../load/messages.js';
import { cpuMs } from '../measure/cpu.js';
import { type Server, startServer } from '../measure/processes.js';
import { median } from '../measure/stats.js';

const SESSIONS = 64;
/** Requests a second, well below what one node can serve: a node that is never idle batches, and looks cheaper. */
const RATE = 1500;
/** Clients that think between their requests, each for itself: requests that come in bursts are served as bursts. */
const CLIENTS = 96;
/** Code that is not compiled yet is several times as dear, on whichever node. */
const WARM_UP_S = 6;

/** The same for limit B: what a process costs that wakes up for each request is no property of anynode. */
const CONTESTANTS = ['limit-b', 'anynode-reusable'];

export async function measureNodes(quick: boolean): Promise<string[]> {
  const lines: string[] = [];
  for (const id of CONTESTANTS) lines.push(...(await measureFleet(contestant(id), quick)));
  return lines;
}

async function measureFleet(kind: Contestant, quick: boolean): Promise<string[]> {
  const redis = await startRedis();
  const nodes: Server[] = [];
  try {
    for (let i = 0; i < 3; i += 1) nodes.push(await startServer(kind, redis.url));
    const opener = await Connection.open((nodes[0] as Server).port);
    const sessions: (string | undefined)[] = [];
    for (let i = 0; i < SESSIONS; i += 1)
      sessions.push(kind.speaks === 'sessions' ? await openSession(opener) : undefined);
    opener.close();
    const rounds = quick ? 3 : 5;
    const samples: number[][] = [[], [], []];
    for (const node of nodes) await drive([node], sessions, quick ? 2 : WARM_UP_S);
    // Interleaved as everywhere; what nodes spend while they are idle is part of it, as it is in a fleet.
    for (let round = 0; round < rounds; round += 1) {
      for (let count = 1; count <= 3; count += 1) {
        samples[count - 1]?.push(await drive(nodes.slice(0, count), sessions, quick ? 2 : 3));
      }
    }
    const medians = samples.map(median);
    const [one = Number.NaN] = medians;
    return medians.map((cpu, i) => {
      const more = ((cpu / one - 1) * 100).toFixed(1);
      return `${kind.label}, ${i + 1} ${i === 0 ? 'process' : 'processes'} at ${RATE} calls a second: ${cpu.toFixed(4)} ms of processor time per call (${more} %)`;
    });
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await redis.stop();
  }
}

/** Total processor time of the nodes per request. */
async function drive(
  nodes: readonly Server[],
  sessions: readonly (string | undefined)[],
  seconds: number,
): Promise<number> {
  const requests = sessions.map((sessionId) =>
    rpc((nodes[0] as Server).contestant, sessionId, 'tools/call', {
      name: 'forecast-1',
      arguments: { city: 'Lisbon' },
    }),
  );
  const connections = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => Connection.open((nodes[i % nodes.length] as Server).port)),
  );
  const total = (): number => nodes.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  const before = total();
  const end = performance.now() + seconds * 1000;
  let sent = 0;
  const client = async (connection: Connection): Promise<void> => {
    for (;;) {
      // Exponential pauses: all clients together ask independently of each other.
      await new Promise((resolve) => setTimeout(resolve, -Math.log(1 - Math.random()) * ((CLIENTS * 1000) / RATE)));
      if (performance.now() > end) return;
      sent += 1;
      const { status } = await connection.request(requests[sent % requests.length] as string);
      if (status !== 200) throw new Error(`status ${status}`);
    }
  };
  await Promise.all(connections.map(client));
  const cpu = (total() - before) / sent;
  for (const connection of connections) connection.close();
  return cpu;
}
