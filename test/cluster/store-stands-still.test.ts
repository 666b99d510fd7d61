/**
 * A store that stands still for longer than a lease, and then answers all that has waited: nobody has died, so no node may
 * take another one's calls, also not by a look that was under way before.
 */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { metricOf, probe, returned, startProbeFleet, untilRunning } from './probe-fleet.js';

const NODE_LEASE_MS = 2000;
/** Longer than any lease that was renewed before. */
const STILL_MS = NODE_LEASE_MS + 300;
const CALLS = 6;

describe('a store that stood still for longer than a lease', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let fleet: Fleet;
  before(async () => {
    redis = await startRedis();
    // Longer than the standstill: commands outlast it instead of failing.
    fleet = await startProbeFleet({ redis, env: { NODE_LEASE_MS: `${NODE_LEASE_MS}`, REDIS_TIMEOUT_MS: '10000' } });
  });
  after(async () => {
    await fleet?.stop();
    await redis?.stop();
  });

  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const heartbeats = () => fleet.inspect.zRangeWithScores('nodes', 0, -1);

  it('leaves every call with its node', async () => {
    const session = await RawSession.open(fleet);
    const keys = Array.from({ length: CALLS }, (_, i) => `go-${i}`);
    const calls = await Promise.all(
      keys.map((key, i) => session.startTool('wait_repeatably', { key }, { node: i % fleet.nodes.length })),
    );
    for (const key of keys) await untilRunning(session, key);
    // Streams by now, and every node has been a member for long enough to judge others.
    await Promise.all(calls.map(({ response }) => response.waitForEvent(({ id }) => id !== undefined, 'an event')));
    await wait(NODE_LEASE_MS * 1.5);
    const recovered = await metricOf(fleet, 'mcp_calls_recovered_total');

    process.kill(redis.pid, 'SIGSTOP');
    await wait(STILL_MS);
    process.kill(redis.pid, 'SIGCONT');

    // All have noticed that they live, and have had the time to look at each other twice since.
    const since = Date.now() + NODE_LEASE_MS;
    await eventually(async () => (await heartbeats()).every(({ score }) => score > since), { deadlineMs: 20_000 });
    for (const key of keys) {
      expect((await probe(session, 'recall', { key: `${key}:started` })).value, `runs of ${key}`).to.equal(1);
      await probe(session, 'remember', { key, value: 'done' });
    }
    for (const call of calls) expect(returned(await call.answer()).value).to.equal('done');
    expect(await metricOf(fleet, 'mcp_calls_recovered_total')).to.equal(recovered);
  });
});
