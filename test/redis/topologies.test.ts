/**
 * The product over a Cluster of three masters, and over a Sentinel set-up: three nodes behind the balancer, as over one
 * server. What every day runs over the Cluster runs over Sentinel, and with servers of the first SDK line, at full size.
 */
import { answers } from '../cluster/answers.js';
import { callStreams } from '../cluster/call-streams.js';
import { cancellation } from '../cluster/cancellation.js';
import { changes, standaloneStream } from '../cluster/changes.js';
import { type ClusterSuite, startProbeFleet } from '../cluster/probe-fleet.js';
import { progressAndLogs } from '../cluster/progress-and-logs.js';
import { sessions } from '../cluster/sessions.js';
import { sseTransport } from '../cluster/sse-transport.js';
import type { Fleet } from '../support/fleet.js';
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
}
