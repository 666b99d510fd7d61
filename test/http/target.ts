/**
 * What the HTTP suite runs against: one node with the embedded store, and a fleet on Redis behind the balancer.
 * The contract makes no difference between them, so neither do the suites.
 */
import { startFleet } from '../support/fleet.js';
import { startNode } from '../support/node-process.js';
import type { Target } from '../support/raw-client.js';

/** Small enough that a body over it fits the socket's buffers: the answer can be read before the upload breaks off. */
export const MAX_BODY_BYTES = 1_000_000;

export interface HttpTarget extends Target {
  /** Names of all keys; none where the store cannot be looked into. */
  storedKeys(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface HttpTargetKind {
  readonly title: string;
  start(): Promise<HttpTarget>;
}

/** A suite states its sentences once; the target exists only when they run. */
export type HttpSuite = (target: () => HttpTarget) => void;

const ENV = { MCP_SERVER: 'everything', MAX_BODY_BYTES: `${MAX_BODY_BYTES}`, DRAIN_DELAY_MS: '0' };

async function startSingle(): Promise<HttpTarget> {
  const node = await startNode(ENV);
  return {
    url: node.url,
    nodeUrls: [node.url],
    storedKeys: async () => [],
    stop: async () => void (await node.stop()),
  };
}

async function startBehindBalancer(): Promise<HttpTarget> {
  const fleet = await startFleet({ nodes: 3, env: ENV });
  return {
    url: fleet.url,
    nodeUrls: fleet.nodeUrls,
    // KEYS is for an empty store on nobody's path; the nodes themselves never send it.
    storedKeys: async () => (await fleet.inspect.keys('*')).sort(),
    stop: () => fleet.stop(),
  };
}

export const HTTP_TARGETS: readonly HttpTargetKind[] = [
  { title: 'one node with the embedded store', start: startSingle },
  { title: 'three nodes on Redis, through the balancer', start: startBehindBalancer },
];
