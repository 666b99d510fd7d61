/**
 * A fleet as it is deployed: a Redis, nodes at fixed ports, a front door before them. A node that was ended or killed is
 * replaced by a new process at the same port, and nobody tells the door.
 */
import type { FleetAccess } from '../../src/index.js';
import { startWorker } from '../streams/stream-suite.js';
import { type Exit, type NodeProcess, startNode } from '../support/node-process.js';
import type { Target } from '../support/raw-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { type FrontDoor, openFrontDoor } from './front-door.js';

export const NODES = 3;

export interface Deployment extends Target {
  readonly nodes: readonly NodeProcess[];
  readonly door: FrontDoor;
  readonly redis: RedisServer;
  /** Sends to sessions from outside of any request. */
  readonly worker: FleetAccess;
  /** Ends a node in order and starts its successor; resolves when that listens, with how the old one ended. */
  redeploy(index: number): Promise<Exit>;
  /** SIGKILL, and a successor. */
  crash(index: number): Promise<void>;
  stop(): Promise<void>;
}

export async function deploy(env: Readonly<Record<string, string>>): Promise<Deployment> {
  const redis = await startRedis();
  // A busy machine is not what these trials are about: neither a Redis that is slow by it, nor short calls that are.
  const patient = { REDIS_TIMEOUT_MS: '5000', STREAM_UPGRADE_MS: '5000' };
  const nodeEnv = { MCP_SERVER: 'everything', REDIS_URL: redis.url, ...patient, ...env };
  const nodes = await Promise.all(Array.from({ length: NODES }, () => startNode(nodeEnv)));
  const door = await openFrontDoor(nodes.map(({ port }) => port));
  const worker = await startWorker(
    { redis } as unknown as Parameters<typeof startWorker>[0],
    Number(env.NODE_LEASE_MS),
  );

  const replace = async (index: number, end: (node: NodeProcess) => Promise<Exit>): Promise<Exit> => {
    const node = nodes[index] as NodeProcess;
    const exit = await end(node);
    nodes[index] = await startNode({ ...nodeEnv, PORT: `${node.port}` });
    return exit;
  };
  return {
    nodes,
    door,
    redis,
    worker,
    url: door.url,
    nodeUrls: nodes.map(({ url }) => url),
    redeploy: (index) => replace(index, (node) => node.stop()),
    async crash(index) {
      await replace(index, (node) => {
        node.signal('SIGKILL');
        return node.exited;
      });
    },
    async stop() {
      await worker.close();
      await door.stop();
      await Promise.all(nodes.map((node) => node.stop()));
      await redis.stop();
    },
  };
}
