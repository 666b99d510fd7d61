/** What is held over a fleet: sessions, streams and running calls of one user, and how each of them comes free. */
import { expect } from 'chai';
import { PROBES, returned } from '../cluster/probe-fleet.js';
import { ask } from '../modern/modern-client.js';
import { eventually } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, notification, request } from '../support/json-rpc.js';
import { type Hop, postMcp, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { openSse, postMessage, RawSseSession } from '../support/raw-sse-client.js';
import { AUTH_TOKENS, as, expectTooMany, refused, stored, timesOf } from './limited-fleet.js';

const SESSIONS = 3;
const STREAMS = 2;
const CALLS = 3;
/** Long enough to open some sessions on a busy machine, short enough to wait for. */
const SESSION_TTL_MS = 6000;
/** Places last three of them; short enough to wait for, long enough for a node on a busy machine to stay alive. */
const NODE_LEASE_MS = 1200;
const LISTEN = { notifications: { toolsListChanged: true } };

describe('what is held over three nodes', () => {
  let fleet: Fleet;
  before(async () => {
    const env = {
      AUTH_TOKENS,
      MCP_SERVER: PROBES['an SDK 2.x server'],
      MAX_SESSIONS_PER_USER: `${SESSIONS}`,
      MAX_STREAMS_PER_USER: `${STREAMS}`,
      MAX_CALLS_PER_SESSION: `${CALLS}`,
      MAX_STATE_BYTES: '1000',
      MAX_STATE_KEYS: '9',
      SESSION_TTL_MS: `${SESSION_TTL_MS}`,
      NODE_LEASE_MS: `${NODE_LEASE_MS}`,
    };
    fleet = await startFleet({ env });
  });
  after(() => fleet?.stop());

  const tryOpen = (hop: Hop): Promise<RawResponse> => postMcp(fleet, initialize(NEWEST_REVISION), hop);
  const isOpened = async (hop: Hop): Promise<boolean> => {
    const response = await tryOpen(hop);
    await response.text();
    return response.status === 200;
  };
  const openAll = (user: Parameters<typeof as>[0]): Promise<RawSession[]> =>
    Promise.all(timesOf(SESSIONS).map((node) => RawSession.open(fleet, { ...as(user), node, initialized: false })));
  const getMain = (session: RawSession, node: number): Promise<RawResponse> =>
    send(`${fleet.nodeUrls[node]}/mcp`, { headers: session.headers({ Accept: 'text/event-stream' }) });

  describe('sessions of a user', () => {
    it('are as many as it says, however many are asked for at once, and another user has their own', async () => {
      const flood = await Promise.all(timesOf(20).map((i) => tryOpen({ ...as('ada'), node: i % 3 })));
      expect(flood.filter(({ status }) => status === 200)).to.have.length(SESSIONS);
      for (const response of flood) {
        if (response.status !== 200) await expectTooMany(response, 'sessions_user', 'init');
        expect('mcp-session-id' in response.headers).to.equal(response.status === 200);
      }
      expect(await isOpened(as('bob'))).to.equal(true);
      expect(await refused(fleet, 'sessions_user')).to.be.at.least(20 - SESSIONS);
    });

    it('are refused without a trace in the store', async () => {
      const before = await stored(fleet);
      const members = await fleet.inspect.zCard('sessions');
      for (const i of timesOf(10))
        await expectTooMany(await tryOpen({ ...as('ada'), node: i % 3 }), 'sessions_user', 'init');
      await expectTooMany(await openSse(fleet, '/sse', as('ada')), 'sessions_user');
      const after = (await stored(fleet)).filter((key) => !before.includes(key));
      expect(after.filter((key) => !key.startsWith('slots:'))).to.deep.equal([]);
      expect(await fleet.inspect.zCard('sessions')).to.be.at.most(members);
    });

    it('come free when one is deleted, at once and on every node', async () => {
      const sessions = await openAll('cyd');
      await expectTooMany(await tryOpen(as('cyd')), 'sessions_user', 'init');
      for (const [i, session] of sessions.entries()) {
        expect((await session.delete({ node: i })).status).to.equal(200);
        expect(await isOpened({ ...as('cyd'), node: (i + 1) % 3 }), `after DELETE on node ${i}`).to.equal(true);
        await expectTooMany(await tryOpen({ ...as('cyd'), node: (i + 2) % 3 }), 'sessions_user', 'init');
      }
    });

    it('come free when one runs out, and stay for as long as one is used', async function () {
      this.timeout(60_000);
      const [used] = await openAll('dan');
      await expectTooMany(await tryOpen(as('dan')), 'sessions_user', 'init');
      const opened = await eventually(
        async () => {
          expect(await used?.status()).to.equal(200);
          const response = await tryOpen(as('dan'));
          await response.text();
          return response.status === 200;
        },
        { deadlineMs: 4 * SESSION_TTL_MS, intervalMs: 300 },
      );
      expect(opened).to.equal(true);
      expect(await used?.status(), 'older than a life time').to.equal(200);
      const now = await Promise.all(timesOf(6).map((i) => isOpened({ ...as('dan'), node: i % 3 })));
      expect(now.filter(Boolean), 'the one in use still has its place').to.have.length.at.most(SESSIONS - 2);
    });
  });

  describe('open streams of a user', () => {
    it('are as many as it says, of all kinds and on all nodes, and free when they end', async () => {
      const [first, second] = await openAll('eve');
      if (!first || !second) return expect.fail('two sessions were expected');
      const main = await first.stream({ node: 0 });
      const listening = await ask(fleet, 'subscriptions/listen', LISTEN, { ...as('eve'), node: 1 });
      expect(listening.status).to.equal(200);
      const fromSse = await openSse(fleet, `/sse?sessionId=${first.id}`, { ...as('eve'), node: 1 });
      await expectRpcError(fromSse, 404, -32001);
      await expectTooMany(await getMain(second, 2), 'streams_user');
      const listen = await ask(fleet, 'subscriptions/listen', LISTEN, { ...as('eve'), node: 2, id: 'one more' });
      await expectTooMany(listen, 'streams_user', 'one more');
      expect((await second.delete()).status).to.equal(200);
      const sessions = await fleet.inspect.zCard('sessions');
      await expectTooMany(await openSse(fleet, '/sse', { ...as('eve'), node: 0 }), 'streams_user');
      expect(await fleet.inspect.zCard('sessions'), 'no session for a stream that is refused').to.be.at.most(sessions);
      // Headers were sent long ago: it is the end that gives the place back.
      listening.close();
      const sse = await eventually(async () => {
        const stream = await openSse(fleet, '/sse', { ...as('eve'), node: 2 });
        return stream.status === 200 ? stream : false;
      });
      await expectTooMany(await getMain(first, 1), 'streams_user');
      sse.close();
      const again = await eventually(async () => {
        const stream = await getMain(first, 1);
        return stream.status === 200 ? stream : false;
      });
      for (const stream of [main, again]) stream.close();
    });

    it('outlive many leases, and come free when their node is killed', async () => {
      const doomed = fleet.nodes.length - 1;
      const [session] = await openAll('fay');
      if (!session) return expect.fail('a session was expected');
      const streams = [await session.stream({ node: doomed })];
      const listening = await ask(fleet, 'subscriptions/listen', LISTEN, { ...as('fay'), node: doomed });
      await listening.waitFor(({ method }) => method !== undefined, 'the acknowledgement');
      // Those of other users are empty by now, or soon.
      const pool = await eventually(async () => {
        const [key, ...others] = await fleet.inspect.keys('slots:streams:user:*');
        return key !== undefined && others.length === 0 && key;
      });
      // Renewed since: the place ends later than it did when it was taken.
      const endOf = async () => (await fleet.inspect.zRangeWithScores(pool, 0, 0))[0]?.score ?? 0;
      const first = await endOf();
      await eventually(async () => (await endOf()) > first + 3 * NODE_LEASE_MS);
      await expectTooMany(await getMain(session, 0), 'streams_user');
      await fleet.kill(fleet.nodes[doomed] as never);
      const stream = await eventually(async () => {
        const opened = await getMain(session, 0);
        return opened.status === 200 ? opened : false;
      });
      stream.close();
      for (const gone of [...streams, listening]) gone.close();
      await fleet.addNode();
    });
  });

  describe('running calls of a session', () => {
    const wait = (session: RawSession, key: string, node: number) =>
      session.startTool('wait_for', { key }, { node, id: `call ${key}` });
    const cancel = (session: RawSession, key: string) =>
      session.notify('notifications/cancelled', { requestId: `call ${key}` });

    it('are as many as it says over all nodes once they are streams; notifications are always taken', async () => {
      const session = await RawSession.open(fleet, as('gil'));
      for (const node of timesOf(CALLS)) await wait(session, `k${node}`, node);
      for (const node of timesOf(3)) {
        await expectTooMany(await session.post(request(7, 'ping'), { node }), 'calls_session', 7);
        await session.notify('notifications/progress', { progressToken: 1, progress: 1 }, { node });
      }
      const bystander = await RawSession.open(fleet, as('gil'));
      expect(await bystander.status(), 'another session of the same user').to.equal(200);
      await cancel(session, 'k1');
      await eventually(async () => (await session.status()) === 200, { what: 'room for a call' });
      for (const key of ['k0', 'k2']) await cancel(session, key);
      for (const one of [session, bystander]) await one.delete();
    });

    it('come free when the node that runs them is killed', async () => {
      const doomed = fleet.nodes.length - 1;
      const session = await RawSession.open(fleet, { ...as('gil'), node: 0 });
      for (const key of ['a', 'b', 'c']) await wait(session, key, doomed);
      await expectTooMany(await session.post(request(7, 'ping'), { node: 0 }), 'calls_session', 7);
      await fleet.kill(fleet.nodes[doomed] as never);
      await eventually(async () => (await session.status({ node: 0 })) === 200, { what: 'room for a call' });
      await fleet.addNode();
      await session.delete();
    });

    it('are counted exactly on one node, however short they are', async () => {
      const session = await RawSession.open(fleet, { ...as('gil'), node: 0 });
      const calls = timesOf(8).map((id) =>
        session.post(request(id, 'tools/call', { name: 'pause', arguments: { ms: 150 } }), { node: 0 }),
      );
      const answers = await Promise.all(calls);
      expect(answers.filter(({ status }) => status === 200)).to.have.length(CALLS);
      for (const [id, answer] of answers.entries()) {
        if (answer.status !== 200) await expectTooMany(answer, 'calls_session', id);
        else await answer.untilEnd();
      }
      expect(await session.status({ node: 0 })).to.equal(200);
      await session.delete();
    });

    it('count over HTTP+SSE as well, where they are refused before they are accepted', async () => {
      const user = as('gil');
      const session = await RawSseSession.connect(fleet, user);
      await session.post(initialize('2024-11-05'), user);
      await session.answerTo('init');
      const call = (key: string) => ({ name: 'wait_for', arguments: { key } });
      for (const key of ['a', 'b', 'c']) await session.post(request(`call ${key}`, 'tools/call', call(key)), user);
      await expectTooMany(await postMessage(fleet, session.endpoint, request(9, 'ping'), user), 'calls_session', 9);
      await session.post(notification('notifications/cancelled', { requestId: 'call b' }), user);
      await eventually(async () => {
        const response = await postMessage(fleet, session.endpoint, request(10, 'ping'), user);
        await response.text();
        return response.status === 202;
      });
      session.stream.close();
    });
  });

  describe("a session's own state", () => {
    it('is refused to handlers in words when it gets too large, and stays as it was', async () => {
      const session = await RawSession.open(fleet, as('hal'));
      expect(returned(await session.callTool('remember', { key: 'kept', value: 'x'.repeat(500) }))).to.equal(null);
      const large = await session.callTool('remember', { key: 'large', value: 'x'.repeat(500) });
      expect(large.result, JSON.stringify(large)).to.include({ isError: true });
      expect(JSON.stringify(large.result.content)).to.match(/1000 bytes.*MAX_STATE_BYTES/);
      expect(returned(await session.callTool('recall', { key: 'kept' }))).to.deep.equal({ value: 'x'.repeat(500) });
      expect(returned(await session.callTool('recall', { key: 'large' }))).to.deep.equal({});
      for (const i of timesOf(8)) await session.callTool('add', { key: `n${i}` }, { node: i % 3 });
      const many = await session.callTool('add', { key: 'n8' });
      expect(JSON.stringify(many.result.content)).to.match(/9 keys.*MAX_STATE_KEYS/);
      expect(returned(await session.callTool('add', { key: 'n3' }))).to.equal(2);
      expect([await refused(fleet, 'state_bytes'), await refused(fleet, 'state_keys')]).to.deep.equal([1, 1]);
    });
  });

  describe('what is stored for all this', () => {
    it('has a life time, every key of it', async () => {
      const keys = await fleet.inspect.keys('*');
      expect(keys.filter((key) => key.startsWith('pool:'))).to.not.be.empty;
      for (const key of keys) expect(await fleet.inspect.pTTL(key), key).to.not.equal(-1);
    });
  });
});
