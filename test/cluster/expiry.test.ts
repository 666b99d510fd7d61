/** Sessions end by themselves: idle ones after their time, all of them after the longest time allowed. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';
import { keysOf, metricOf, probe, startProbeFleet } from './probe-fleet.js';

const SESSION_TTL_MS = 1500;
const NODES = [0, 1, 2];

const exists = async (fleet: Fleet, session: RawSession): Promise<boolean> =>
  (await fleet.inspect.exists(`session:${session.id}`)) === 1;
const gone = (fleet: Fleet, session: RawSession): Promise<true> =>
  eventually(async () => !(await exists(fleet, session)) || undefined, { what: 'the end of the session' });

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
      for (const node of NODES) expect(await session.status({ node })).to.equal(404);
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

  it('does not run out under an open stream', async () => {
    const [listening, idle] = await Promise.all([RawSession.open(fleet), RawSession.open(fleet)]);
    const stream = await listening.stream({ node: 1 });
    // The barrier: a session of the same age without a stream has ended, and then one opened after that.
    await gone(fleet, idle);
    await gone(fleet, await RawSession.open(fleet));
    expect(stream.isOver).to.equal(false);
    expect(await listening.status({ node: 2 })).to.equal(200);
    stream.close();
    await gone(fleet, listening);
  });

  it('does not run out under a running call', async () => {
    const session = await RawSession.open(fleet);
    const call = await session.startTool('pause', { ms: 3 * SESSION_TTL_MS }, { node: 0 });
    const answer = await call.answer();
    expect(answer.result, JSON.stringify(answer)).to.be.an('object');
    expect(await session.status({ node: 1 })).to.equal(200);
  });

  it('does not come back by its own GET: the stream of an ended session is a 404', async () => {
    const session = await RawSession.open(fleet);
    await gone(fleet, session);
    const responses = await Promise.all(NODES.map((node) => session.delete({ node })));
    for (const response of responses) expect(response.status, await response.text()).to.equal(404);
    expect(await keysOf(fleet, session.id)).to.deep.equal([]);
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
