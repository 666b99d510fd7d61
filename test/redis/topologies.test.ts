/**
 * The product over a Cluster of three masters, and over a Sentinel set-up: three nodes behind the balancer, as over one
 * server. What every day runs over the Cluster runs over Sentinel, and with servers of the first SDK line, at full size.
 */

import type { FleetAccess } from '../../src/index.js';
import { answers } from '../cluster/answers.js';
import { callStreams } from '../cluster/call-streams.js';
import { cancellation } from '../cluster/cancellation.js';
import { changes, standaloneStream } from '../cluster/changes.js';
import { type ClusterSuite, startProbeFleet } from '../cluster/probe-fleet.js';
import { progressAndLogs } from '../cluster/progress-and-logs.js';
import { sessions } from '../cluster/sessions.js';
import { sseTransport } from '../cluster/sse-transport.js';
import { bystanders } from '../modern/bystanders.js';
import { clientsTogether } from '../modern/clients-together.js';
import { lists } from '../modern/lists.js';
import type { ModernSuite } from '../modern/modern-suite.js';
import { rounds } from '../modern/rounds.js';
import { subscriptions } from '../modern/subscriptions.js';
import { borders } from '../streams/borders.js';
import { fanOut } from '../streams/fan-out.js';
import { resumption } from '../streams/resumption.js';
import { type StreamSuite, startWorker } from '../streams/stream-suite.js';
import { takeOver } from '../streams/take-over.js';
import { webhooks } from '../streams/webhooks.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import type { RedisEntrance } from '../support/redis.js';
import { startCluster } from '../support/redis-cluster.js';
import { startSentinelSetup } from '../support/redis-sentinel.js';

const FULL = process.env.ANYNODE_FULL === '1';

const SUITES: Record<string, ClusterSuite> = {
  sessions,
  'answers to the server': answers,
  'progress and log lines': progressAndLogs,
  'streams of calls': callStreams,
  'a cancellation': cancellation,
  'changes of lists and resources': changes,
  'the standalone stream': standaloneStream,
  'HTTP+SSE': sseTransport,
};

/** Not here: suites that look into one server, or break its connections; what they show does not depend on the topology. */
const STREAM_SUITES: Record<string, StreamSuite> = {
  'a call that is resumed': resumption,
  'a main stream with several connections': takeOver,
  'a worker beside the fleet': webhooks,
  ...(FULL && { 'a change': fanOut, 'a session and the ids of another': borders }),
};

const MODERN_SUITES: Record<string, ModernSuite> = {
  'rounds of one call': rounds,
  'a subscription': subscriptions,
  ...(FULL && {
    'beside sessions': bystanders,
    'lists and readings': lists,
    'three clients at one address': clientsTogether,
  }),
};

const TOPOLOGIES: Record<string, () => Promise<RedisEntrance>> = {
  'a Redis Cluster': startCluster,
  ...(FULL && { 'Redis with Sentinel': startSentinelSetup }),
};

for (const [topology, start] of Object.entries(TOPOLOGIES)) {
  describe(`three nodes over ${topology}`, () => {
    let redis: RedisEntrance;
    let fleet: Fleet;
    before(async function () {
      this.timeout(60_000);
      redis = await start();
      fleet = await startProbeFleet({ redis });
    });
    after(async () => {
      await fleet?.stop();
      await redis?.stop();
    });
    for (const [name, suite] of Object.entries(SUITES)) describe(name, () => suite(() => fleet));
  });

  describe(`streams and the modern era over ${topology}`, () => {
    let redis: RedisEntrance;
    let fleet: Fleet;
    let worker: FleetAccess;
    before(async function () {
      this.timeout(60_000);
      redis = await start();
      fleet = await startFleet({ redis });
      worker = await startWorker(fleet);
    });
    after(async () => {
      await worker?.close();
      await fleet?.stop();
      await redis?.stop();
    });
    for (const [name, suite] of Object.entries(STREAM_SUITES)) {
      describe(name, () =>
        suite(
          () => fleet,
          () => worker,
        ),
      );
    }
    for (const [name, suite] of Object.entries(MODERN_SUITES)) describe(name, () => suite(() => fleet));
  });
}
