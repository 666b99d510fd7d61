/** Nodes that die, stand still, or go: one fleet with a short lease for all the suites. */
import type { FleetAccess } from '../../src/index.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { frozenNode } from './frozen-node.js';
import { leavingNode } from './leaving-node.js';
import { lostMainStreams } from './lost-main-streams.js';
import { nodeKills } from './node-kills.js';
import { sseCalls } from './sse-calls.js';
import { type StreamSuite, startWorker } from './stream-suite.js';

/** Short, so that a death is noticed within the test; long enough that a busy machine is not taken for dead. */
const NODE_LEASE_MS = 1500;

const SUITES: Record<string, StreamSuite> = {
  'a node that stood still': frozenNode,
  'calls of a node that is killed': nodeKills(NODE_LEASE_MS),
  'a main stream whose node is killed': lostMainStreams,
  'the answer to a call over HTTP+SSE': sseCalls,
  'a node that is told to go': leavingNode,
};

describe('three nodes of which one is lost', () => {
  let fleet: Fleet;
  let worker: FleetAccess;
  before(async () => {
    fleet = await startFleet({ env: { NODE_LEASE_MS: `${NODE_LEASE_MS}` } });
    worker = await startWorker(fleet, NODE_LEASE_MS);
  });
  after(async () => {
    await worker?.close();
    await fleet?.stop();
  });
  for (const [name, suite] of Object.entries(SUITES)) {
    describe(name, () =>
      suite(
        () => fleet,
        () => worker,
      ),
    );
  }
});
