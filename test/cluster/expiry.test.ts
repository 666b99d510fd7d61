/** Sessions end by themselves: idle ones after their time, all of them after the longest time allowed. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';
import { keysOf, metricOf, probe, startProbeFleet } from './probe-fleet.js';

const SESSION_TTL_MS = 1200;
const NODES = [0, 1, 2];

const exists = async (fleet: Fleet, session: RawSession): Promise<boolean> =>
  (await fleet.inspect.exists(`session:${session.id}`)) === 1;
const gone = (fleet: Fleet, session: RawSession): Promise<true> =>
  eventually(async () => !(await exists(fleet, session)), { what: 'the end of the session' });

describe('the idle life of a session', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startProbeFleet({ env: { SESSION_TTL_MS: `${SESSION_TTL_MS}` } });
  });
  after(() => fleet?.stop());

  it('ends on every node, leaves nothing and is counted once', async () => {
    const expired = await metricOf(fleet, 'mcp_sessions_ended_total', 'reason="expired"');
    const opened = await Promise.all(NODES.map((node) => RawSession.open(fleet, { node })));
    for (const session of opened) await probe(session, 'remember', { key: 'k', value: 1 });
    await Promise.all(opened.map((session) => gone(fleet, session)));
    for (const session of opened) {
      for (const node of NODES) {
        expect(await session.status({ node })).to.equal(404);
        expect((await session.delete({ node })).status).to.equal(404);
      }
      await eventually(async () => expect(await keysOf(fleet, session.id)).to.deep.equal([]));
    }
    await eventually(async () => {
      const counted = (await metricOf(fleet, 'mcp_sessions_ended_total', 'reason="expired"')) - expired;
      expect(counted).to.equal(opened.length);
    });
  });

  it('is renewed by every use, on any node', async () => {
    const session = await RawSession.open(fleet);
    const end = Date.now() + 2 * SESSION_TTL_MS;
    while (Date.now() < end) {
      for (const node of NODES) expect(await session.status({ node })).to.equal(200);
      await probe(session, 'pause', { ms: SESSION_TTL_MS / 5 });
    }
    await gone(fleet, session);
  });

  it('does not run out under an open stream, nor under a running call', async () => {
    const [listening, calling, idle] = await Promise.all([0, 1, 2].map((node) => RawSession.open(fleet, { node })));
    if (!listening || !calling || !idle) throw new Error('three sessions expected');
    const stream = await listening.stream({ node: 1 });
    const call = await calling.startTool('pause', { ms: 2.5 * SESSION_TTL_MS }, { node: 0 });
    // The barrier: a session of the same age has run out, and after that one that was opened only then.
    await gone(fleet, idle);
    await gone(fleet, await RawSession.open(fleet));
    expect(stream.isOver).to.equal(false);
    expect(await listening.status({ node: 2 })).to.equal(200);
    const answer = await call.answer();
    expect(answer.result, JSON.stringify(answer)).to.be.an('object');
    stream.close();
    await Promise.all([gone(fleet, listening), gone(fleet, calling)]);
  });
});

describe('the absolute life of a session', () => {
  it('ends a session that is used all the time, and says why', async () => {
    const fleet = await startProbeFleet({ nodes: 2, env: { SESSION_MAX_AGE_MS: '1500' } });
    try {
      const session = await RawSession.open(fleet);
      const stream = await session.stream({ node: 1 });
      const openedAt = Date.now();
      await eventually(async () => (await session.status()) === 404, { what: '404', intervalMs: 50 });
      expect(Date.now() - openedAt).to.be.greaterThan(1000);
      await eventually(() => stream.isOver, { what: 'end of the stream' });
      await eventually(async () => (await metricOf(fleet, 'mcp_sessions_ended_total', 'reason="max_age"')) === 1);
    } finally {
      await fleet.stop();
    }
  });
});
