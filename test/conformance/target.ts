/**
 * What the suite is run against: a fleet of three nodes with a Redis of its own behind the balancer that changes node at
 * every request, or one node without Redis, which shows what the suite finds where nothing crosses nodes.
 */
import { startFleet } from '../support/fleet.js';
import { type NodeProcess, startNode } from '../support/node-process.js';

export type TargetKind = 'fleet' | 'reference';

const NODES = 3;

export interface Target {
  readonly url: string;
  /** Everything the nodes have printed. */
  log(): string;
  /** Ends everything, and throws where it did not end in order or has not been what it should be. */
  stop(): Promise<void>;
}

const logOf = (nodes: readonly NodeProcess[]): string => nodes.flatMap(({ raw }) => raw).join('\n');

export const startTarget = (kind: TargetKind): Promise<Target> =>
  kind === 'fleet' ? startFleetTarget() : startReference();

async function startFleetTarget(): Promise<Target> {
  const { nodes: living, balancer, url, stop } = await startFleet({ nodes: NODES });
  const nodes = [...living];
  return {
    url: `${url}/mcp`,
    log: () => logOf(nodes),
    async stop() {
      await stop();
      // Else the result would not be one of a fleet.
      const requests = [...balancer.counts.values()].reduce((sum, count) => sum + count, 0);
      const idle = nodes.filter((node) => !balancer.counts.has(node.url));
      if (requests >= nodes.length && idle.length > 0)
        throw new Error(`no request has reached ${idle.map(({ nodeId }) => nodeId).join(', ')}`);
    },
  };
}

async function startReference(): Promise<Target> {
  const node = await startNode({ MCP_SERVER: 'everything', DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '1000' });
  return {
    url: `${node.url}/mcp`,
    log: () => logOf([node]),
    async stop() {
      const exit = await node.stop();
      if (exit.code !== 0) throw new Error(`the node did not end in order (${JSON.stringify(exit)})`);
    },
  };
}
