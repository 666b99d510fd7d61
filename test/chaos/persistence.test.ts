/**
 * What an acknowledgement is worth when Redis is killed without a warning, by what Redis was told to keep.
 *
 * One world for each setting. Not here: the loss of the machine under Redis, which no process can show.
 */
import { expect } from 'chai';
import type { Persistence } from '../../chaos/store.js';
import { tokenOf, World } from '../../chaos/world.js';
import { eventually } from '../support/eventually.js';
import { request } from '../support/json-rpc.js';
import { RawSession, type Target } from '../support/raw-client.js';

const CALLS = 20;
const LEASE_MS = 2500;

describe('kill -9 of Redis', function () {
  this.timeout(90_000);
  let world: World;
  const start = async (persistence: Persistence): Promise<Target> => {
    world = await World.start({ leaseMs: LEASE_MS, persistence, nodes: 2, skewMs: [0, 45_000], chance: () => 0 });
    return { url: world.url, nodeUrls: world.places.map(({ node }) => node?.url ?? '') };
  };
  afterEach(() => world?.stop());

  const open = (target: Target, user: string): Promise<RawSession> =>
    RawSession.open(target, { headers: { Authorization: `Bearer ${tokenOf(user)}` } });
  const count = async (session: RawSession, op: string): Promise<number> =>
    JSON.parse((await session.callTool('effect', { op, ms: 0, count: 1 })).result.content[0].text).value;
  /** Both nodes have found the store again. */
  const backAgain = (target: Target): Promise<unknown> =>
    Promise.all(
      target.nodeUrls.map((url) =>
        eventually(
          async () =>
            (await fetch(`${url}/readyz`, { headers: { Authorization: `Bearer ${tokenOf('ada')}` } })).status === 200,
          { what: 'a node that is ready', deadlineMs: 30_000 },
        ),
      ),
    );

  // With everysec only the fsync comes later: what was written outlives the process, if not the machine.
  const settings: readonly Persistence[] = process.env.ANYNODE_FULL ? ['always', 'everysec'] : ['always'];
  for (const persistence of settings) {
    it(`with appendfsync ${persistence} loses nothing that was acknowledged: sessions, state, logs`, async () => {
      const target = await start(persistence);
      const session = await open(target, 'ada');
      for (let i = 0; i < CALLS; i += 1) expect(await count(session, `op${i}`)).to.equal(1);
      const streamed = await session.startTool('work', { op: 'w', ms: 600, count: 5 }, { progressToken: 1 });
      await streamed.answer();
      const [first, ...rest] = streamed.response.events.flatMap(({ id }) => id ?? []);
      await world.store.kill();
      await world.store.restart();
      await backAgain(target);
      // Counted on, not begun anew.
      for (let i = 0; i < CALLS; i += 1) expect(await count(session, `op${i}`), `op${i}`).to.equal(2);
      const again = await session.stream({ lastEventId: first ?? '' });
      await again.untilEnd();
      expect(again.events.flatMap(({ id }) => id ?? [])).to.deep.equal(rest);
    });
  }

  it('without persistence ends every session with a clean 404, and none comes back or becomes another', async () => {
    const target = await start('none');
    const [ada, bob] = await Promise.all([open(target, 'ada'), open(target, 'bob')]);
    await count(ada, 'op');
    await world.store.kill();
    await world.store.restart();
    await backAgain(target);
    for (const session of [ada, bob]) {
      for (const node of [0, 1]) {
        const response = await session.post(request(1, 'ping'), { node });
        const { error } = await response.json();
        expect([response.status, error?.code, error?.message]).to.deep.equal([404, -32001, 'Session not found']);
      }
    }
    const fresh = await open(target, 'ada');
    expect(fresh.id).to.not.be.oneOf([ada.id, bob.id]);
    expect(await count(fresh, 'op'), 'a state of its own').to.equal(1);
    const [keys = []] = await world.store.ask<string[]>(['KEYS', '*session:*']);
    expect(keys.filter((key) => key.includes(ada.id) || key.includes(bob.id))).to.deep.equal([]);
  });

  it('with a replica that is promoted loses what had not reached it, and leaves the rest whole', async () => {
    const target = await start('always');
    const [session, streaming] = await Promise.all([open(target, 'ada'), open(target, 'ada')]);
    for (let i = 0; i < CALLS; i += 1) expect(await count(session, `op${i}`)).to.equal(1);
    const streamed = await streaming.startTool('work', { op: 'w', ms: 600, count: 5 }, { progressToken: 1 });
    await streamed.answer();
    const [first, ...rest] = streamed.response.events.flatMap(({ id }) => id ?? []);
    let late: RawSession | undefined;
    await world.store.losePrimary(async () => {
      for (let i = 0; i < CALLS; i += 1) expect(await count(session, `late${i}`), 'acknowledged').to.equal(1);
      late = await open(target, 'bob');
      expect(await count(late, 'op')).to.equal(1);
    });
    world.followStore();
    await backAgain(target);

    for (let i = 0; i < CALLS; i += 1) expect(await count(session, `op${i}`), `op${i}`).to.equal(2);
    for (let i = 0; i < CALLS; i += 1) expect(await count(session, `late${i}`), 'forgotten').to.equal(1);
    const again = await streaming.stream({ lastEventId: first ?? '' });
    await again.untilEnd();
    expect(again.events.flatMap(({ id }) => id ?? [])).to.deep.equal(rest);
    for (const node of [0, 1]) {
      const response = (await late?.post(request(1, 'ping'), { node })) as Awaited<ReturnType<RawSession['post']>>;
      const { error } = await response.json();
      expect([response.status, error?.code, error?.message]).to.deep.equal([404, -32001, 'Session not found']);
    }
    const next = await session.startTool('work', { op: 'n', ms: 600, count: 5 }, { progressToken: 2 });
    expect((await next.answer()).result, 'streams go on').to.be.an('object');
  });
});
