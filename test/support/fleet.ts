/**
 * A fleet for tests: a Redis of its own, nodes as processes, and the balancer in front that changes node at every
 * request. Stopping it checks that every node that is still there ends in order.
 */
import { type Balancer, startBalancer } from '../../src/demo/balancer.js';
import { type NodeProcess, startNode } from './node-process.js';
import type { Target } from './raw-client.js';
import { createInspector, type Inspector, type RedisEntrance, startRedis } from './redis.js';

/** Draining is for balancers that look at readiness; ours does not, and tests do not wait for it. */
const TEST_ENV = { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '1000', MCP_SERVER: 'everything' };

export interface FleetOptions {
  readonly nodes?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** An existing Redis; it is left running by `stop`. */
  readonly redis?: RedisEntrance;
}

export interface Fleet extends Target {
  readonly nodes: NodeProcess[];
  readonly balancer: Balancer;
  readonly redis: RedisEntrance;
  /** Looks at the store as an operator would; never on the path of a request. */
  readonly inspect: Inspector;
  /** Starts one more node and puts it behind the balancer. */
  addNode(env?: Readonly<Record<string, string>>): Promise<NodeProcess>;
  /** SIGKILL: the node is gone without a word. It leaves `nodes`, and the balancer finds out by itself. */
  kill(node: NodeProcess): Promise<void>;
  /** Takes a node away from the balancer, then ends it in order, as a deployment does that looks at readiness. */
  retire(node: NodeProcess): Promise<void>;
  /** Ends all nodes in order and starts as many anew; Redis stays. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startFleet({ nodes: count = 3, env = {}, redis: shared }: FleetOptions = {}): Promise<Fleet> {
  const redis = shared ?? (await startRedis());
  const inspect = redis.inspector?.() ?? createInspector(redis.url);
  inspect.on('error', () => {});
  await inspect.connect();
  const nodeEnv = { ...TEST_ENV, REDIS_URL: redis.url, ...env };
  const nodes: NodeProcess[] = [];
  const balancer = await startBalancer([]);
  const publish = (): void => {
    balancer.replicas = nodes.map(({ url }) => url);
  };
  const startAll = async (): Promise<void> => {
    nodes.push(...(await Promise.all(Array.from({ length: count }, () => startNode(nodeEnv)))));
    publish();
  };
  const stopAll = (): Promise<void> => endInOrder(nodes.splice(0));
  const endInOrder = async (gone: readonly NodeProcess[]): Promise<void> => {
    const exits = await Promise.all(gone.map((node) => node.stop()));
    exits.forEach((exit, i) => {
      if (exit.code === 0) return;
      throw new Error(
        `node ${i} did not end in order (${JSON.stringify(exit)}):\n${gone[i]?.raw.slice(-20).join('\n')}`,
      );
    });
  };
  const release = async (): Promise<void> => {
    await balancer.close();
    inspect.destroy();
    if (shared === undefined) await redis.stop();
  };

  try {
    await startAll();
  } catch (error) {
    await release();
    throw error;
  }
  return {
    nodes,
    balancer,
    redis,
    inspect,
    url: balancer.url,
    get nodeUrls() {
      return nodes.map(({ url }) => url);
    },
    async addNode(more = {}) {
      const node = await startNode({ ...nodeEnv, ...more });
      nodes.push(node);
      publish();
      return node;
    },
    async kill(node) {
      nodes.splice(nodes.indexOf(node), 1);
      node.signal('SIGKILL');
      await node.exited;
    },
    async retire(node) {
      nodes.splice(nodes.indexOf(node), 1);
      publish();
      await endInOrder([node]);
    },
    async restart() {
      await stopAll();
      await startAll();
    },
    async stop() {
      try {
        await stopAll();
      } finally {
        await release();
      }
    },
  };
}
