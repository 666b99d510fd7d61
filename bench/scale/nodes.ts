/**
 * A fixed load on one, two and three nodes, each session on all of them in turn: what the fleet costs altogether.
 *
 * Two kinds of load. As many clients as ever, each of which asks again as soon as it was answered: then no process is ever
 * idle, and what is measured is work. And as many requests a second, which leave the processes idle most of the time: then
 * what a wake-up costs on this machine, and how many requests share one, is most of the figure, with whatever server; so
 * limit B stands beside it.
 */
import { startRedis } from '../../test/support/redis.js';
import { type Contestant, contestant } from '../contestants/index.js';
import { Connection } from '../load/connection.js';
import { openSession, rpc } from '../load/messages.js';
import { cpuMs } from '../measure/cpu.js';
import { type Server, startServer } from '../measure/processes.js';
import { median } from '../measure/stats.js';

const SESSIONS = 64;
const CLIENTS = 96;
/** `rate`: requests a second, well below what one node can serve; clients think between them, each for itself. */
const LOADS: readonly { readonly label: string; readonly rate?: number }[] = [
  { label: `${CLIENTS} clients that ask again at once` },
  { label: '1500 calls a second', rate: 1500 },
];
/** Code that is not compiled yet is several times as dear, on whichever node. */
const WARM_UP_S = 6;

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
    for (const node of nodes) await drive([node], sessions, quick ? 2 : WARM_UP_S);
    const lines: string[] = [];
    for (const { label, rate } of LOADS) {
      const samples: number[][] = [[], [], []];
      // Interleaved as everywhere; what nodes spend while they are idle is part of it, as it is in a fleet.
      for (let round = 0; round < rounds; round += 1) {
        for (let count = 1; count <= 3; count += 1) {
          samples[count - 1]?.push(await drive(nodes.slice(0, count), sessions, quick ? 2 : 3, rate));
        }
      }
      const medians = samples.map(median);
      const [one = Number.NaN] = medians;
      for (const [i, cpu] of medians.entries()) {
        const more = ((cpu / one - 1) * 100).toFixed(1);
        const nodes = `${i + 1} ${i === 0 ? 'process' : 'processes'}`;
        lines.push(`${kind.label}, ${label}, ${nodes}: ${cpu.toFixed(4)} ms of processor time per call (${more} %)`);
      }
    }
    return lines;
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
  rate?: number,
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
      const meanMs = rate === undefined ? 0 : (CLIENTS * 1000) / rate;
      if (meanMs > 0) await new Promise((resolve) => setTimeout(resolve, -Math.log(1 - Math.random()) * meanMs));
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
