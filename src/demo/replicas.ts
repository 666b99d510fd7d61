/**
 * The three nodes of the demo: processes of their own on a real Redis or, where there is none, three nodes within this
 * process that share the embedded store.
 *
 * Either way a replica is what the balancer sees: an address that answers, until it does not.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startDemoRedis } from './redis-process.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const START_DEADLINE_MS = 20_000;
const LABELS = ['A', 'B', 'C'];
/** Short, so that nobody has to watch the demo wait for a dead node to be noticed. */
export const NODE_LEASE_MS = 2000;

export interface Replica {
  /** One letter, for the eye. */
  readonly label: string;
  readonly nodeId: string;
  readonly url: string;
  /** "pid 4711", or where else it runs. */
  readonly place: string;
  /** Takes it away without warning, as far as the platform allows. */
  kill(): Promise<void>;
}

export interface DemoFleet {
  readonly replicas: readonly Replica[];
  readonly store: string;
  /** Whether `kill` is a SIGKILL of a whole process, so that its running calls die with it. */
  readonly canDie: boolean;
  stop(): Promise<void>;
}

/** Real processes on Redis where `redis-server` is on PATH, else the embedded fleet. */
export async function startReplicas(): Promise<DemoFleet> {
  const redis = await startDemoRedis();
  if (!redis) return startEmbeddedFleet();
  try {
    const replicas = await Promise.all(LABELS.map((label) => startProcess(label, redis.url)));
    return {
      replicas,
      store: `Redis ${redis.version} at ${redis.url}, started for this demo`,
      canDie: true,
      async stop() {
        await Promise.all(replicas.map((replica) => replica.stop()));
        await redis.stop();
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}

async function startProcess(label: string, redisUrl: string): Promise<Replica & { stop(): Promise<void> }> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      REDIS_URL: redisUrl,
      MCP_SERVER: 'demo',
      NODE_ID: `node-${label.toLowerCase()}`,
      NODE_LEASE_MS: `${NODE_LEASE_MS}`,
      DRAIN_DELAY_MS: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  void exited.then(() => process.off('exit', killAtExit));

  const { nodeId, port } = await listening(child, label);
  return {
    label,
    nodeId,
    url: `http://127.0.0.1:${port}`,
    place: `pid ${child.pid}`,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

/** The node says on stdout that it accepts connections; what it said before is shown only if it never does. */
function listening(child: ChildProcess, label: string): Promise<{ nodeId: string; port: number }> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`node ${label} ${why}\n${said.slice(-5).join('\n')}`));
    const timer = setTimeout(() => fail(`does not listen after ${START_DEADLINE_MS} ms`), START_DEADLINE_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code} before it listened`);
    });
    if (!child.stdout) return fail('has no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (!line.includes('"listening"')) return;
      const { msg, nodeId, port } = JSON.parse(line) as { msg: string; nodeId: string; port: number };
      if (msg !== 'listening') return;
      clearTimeout(timer);
      resolve({ nodeId, port });
    });
  });
}

/** Three nodes in this process: the same code and the same balancer, one store in memory. */
export async function startEmbeddedFleet(): Promise<DemoFleet> {
  // Only here: the processes above need none of it loaded twice.
  const { createMemoryState, createNode } = await import('../index.js');
  const { default: server } = await import('../servers/demo.js');
  const memory = createMemoryState();
  const nodes = await Promise.all(
    LABELS.map(async (label) => {
      const node = await createNode({
        server,
        memory,
        nodeId: `node-${label.toLowerCase()}`,
        logLevel: 'silent',
      });
      const { port } = await node.listen(0);
      const replica: Replica = {
        label,
        nodeId: node.nodeId,
        url: `http://127.0.0.1:${port}`,
        place: 'this process',
        kill: () => node.close(),
      };
      return { node, replica };
    }),
  );
  return {
    replicas: nodes.map(({ replica }) => replica),
    store: 'embedded, shared by three nodes in one process (no redis-server on PATH)',
    canDie: false,
    async stop() {
      await Promise.all(nodes.map(({ node }) => node.close()));
    },
  };
}
