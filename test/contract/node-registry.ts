/** Contract of `NodeRegistry`: names, tokens and duties are held by one node at a time, for a time. */
import { expect } from 'chai';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, inTime, type OpenHarness, timesOf } from './harness.js';

export function nodeRegistryContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: node names`, openHarness, (open) => {
    it('belong to the first that claims them, and make its token alive everywhere', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      expect(await a.nodes.isAlive('token-1')).to.equal(false);
      expect(await a.nodes.claim('node', 'token-1')).to.equal(true);
      expect(await b.nodes.claim('node', 'token-2')).to.equal(false);
      expect(await a.nodes.claim('node', 'token-1'), 'claimed again by the same node').to.equal(true);
      for (const { nodes } of stores) {
        expect(await nodes.isAlive('token-1')).to.equal(true);
        expect(await nodes.isAlive('token-2')).to.equal(false);
        expect(await nodes.list()).to.deep.equal(['node']);
      }
    });

    it('go to exactly one of many that claim at once', async () => {
      const { stores } = await open();
      const claims = timesOf(20).map((i) => (stores[i % 2] as Store).nodes.claim('node', `token-${i}`));
      expect((await Promise.all(claims)).filter(Boolean)).to.have.length(1);
    });

    it('are listed in order', async () => {
      const { stores } = await open();
      for (const [i, id] of ['c', 'a', 'node-10', 'b'].entries()) {
        await (stores[i % 2] as Store).nodes.claim(id, `token-${id}`);
      }
      for (const { nodes } of stores) expect(await nodes.list()).to.deep.equal(['a', 'b', 'c', 'node-10']);
    });

    it('are free at once when they are given back', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      await a.nodes.claim('node', 'token-1');
      await a.nodes.claim('other', 'token-3');
      await a.nodes.release('node', 'token-1');
      expect(await b.nodes.isAlive('token-1')).to.equal(false);
      expect(await b.nodes.list()).to.deep.equal(['other']);
      expect(await b.nodes.claim('node', 'token-2')).to.equal(true);
    });

    it('cannot be given back by a node that does not have them', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      await a.nodes.claim('node', 'token-1');
      await b.nodes.release('node', 'token-2');
      expect(await b.nodes.claim('node', 'token-2')).to.equal(false);
      expect(await a.nodes.isAlive('token-1')).to.equal(true);
      expect(await a.nodes.list()).to.deep.equal(['node']);
    });

    it('lapse when no heartbeat comes, and may then be claimed by another node', async () => {
      const harness = await open({ nodeLeaseMs: 300 });
      const [a, b] = harness.stores;
      await a.nodes.claim('node', 'token-1');
      await inTime(harness, async () => !(await b.nodes.isAlive('token-1')), 'end of the lease');
      await inTime(harness, async () => (await b.nodes.list()).length === 0, 'end of the listing');
      await inTime(harness, () => b.nodes.claim('node', 'token-2'), 'a free name');
    });
  });

  describeContract(`${name}: heartbeats`, openHarness, (open) => {
    it('renew name and token', async () => {
      const harness = await open({ nodeLeaseMs: 1_500 }, { nodeLeaseMs: 120_000 });
      const [short, long] = harness.stores;
      await short.nodes.claim('beating', 'token-1');
      expect(await long.nodes.heartbeat('beating', 'token-1')).to.equal(true);
      await short.nodes.claim('silent', 'token-2');
      await inTime(harness, async () => !(await long.nodes.isAlive('token-2')), 'end of the silent node');
      expect(await long.nodes.isAlive('token-1')).to.equal(true);
      expect(await long.nodes.claim('beating', 'token-3')).to.equal(false);
    });

    it('say that the lease had lapsed, and take a name that is still free', async () => {
      const harness = await open({ nodeLeaseMs: 200 }, { nodeLeaseMs: 120_000 });
      const [short, long] = harness.stores;
      await short.nodes.claim('node', 'token-1');
      await inTime(harness, async () => !(await long.nodes.isAlive('token-1')), 'end of the lease');
      expect(await long.nodes.heartbeat('node', 'token-1')).to.equal(false);
      expect(await long.nodes.isAlive('token-1')).to.equal(true);
      expect(await long.nodes.claim('node', 'token-2')).to.equal(false);
      expect(await long.nodes.heartbeat('node', 'token-1')).to.equal(true);
    });

    it('take no name that another node has got meanwhile', async () => {
      const harness = await open({ nodeLeaseMs: 200 }, { nodeLeaseMs: 120_000 });
      const [short, long] = harness.stores;
      await short.nodes.claim('node', 'token-1');
      await inTime(harness, () => long.nodes.claim('node', 'token-2'), 'a free name');
      expect(await long.nodes.heartbeat('node', 'token-1')).to.equal(false);
      expect(await long.nodes.heartbeat('node', 'token-2')).to.equal(true);
      await long.nodes.release('node', 'token-1');
      expect(await long.nodes.claim('node', 'token-3')).to.equal(false);
      expect(await long.nodes.list()).to.deep.equal(['node']);
    });
  });

  describeContract(`${name}: dead nodes`, openHarness, (open) => {
    it('are those whose lease lapsed and those that left, until they are buried', async () => {
      const harness = await open({ nodeLeaseMs: 300 }, { nodeLeaseMs: 120_000 });
      const [short, long] = harness.stores;
      await long.nodes.claim('living', 'token-living');
      await long.nodes.claim('left', 'token-left');
      await short.nodes.claim('lapsed', 'token-lapsed');
      await long.nodes.release('left', 'token-left');
      const isDead = async (token: string) => (await short.nodes.dead()).includes(token);
      await inTime(harness, () => isDead('token-lapsed'), 'a dead node');
      expect(await short.nodes.dead()).to.have.members(['token-lapsed', 'token-left']);
      await long.nodes.bury('token-lapsed');
      expect(await short.nodes.dead()).to.deep.equal(['token-left']);
      await short.nodes.bury('token-left');
      expect(await short.nodes.dead()).to.deep.equal([]);
      expect(await long.nodes.isAlive('token-living')).to.equal(true);
    });

    it('are none among the living, and none where there never was a node', async () => {
      const { stores } = await open();
      expect(await stores[0].nodes.dead()).to.deep.equal([]);
      await stores[0].nodes.claim('node', 'token-1');
      await stores[0].nodes.claim('node', 'token-refused');
      expect(await stores[1].nodes.dead()).to.deep.equal([]);
    });

    it('live again when they send a heartbeat after all', async () => {
      const harness = await open({ nodeLeaseMs: 300 }, { nodeLeaseMs: 120_000 });
      const [short, long] = harness.stores;
      await short.nodes.claim('node', 'token-1');
      await inTime(harness, async () => (await short.nodes.dead()).length === 1, 'a dead node');
      await long.nodes.bury('token-1');
      await long.nodes.heartbeat('node', 'token-1');
      expect(await long.nodes.isAlive('token-1')).to.equal(true);
      expect(await long.nodes.dead()).to.deep.equal([]);
      await long.nodes.release('node', 'token-1');
      expect(await long.nodes.dead()).to.deep.equal(['token-1']);
    });
  });

  describeContract(`${name}: duties`, openHarness, (open) => {
    it('are done by one node at a time, which may renew them', async () => {
      const { stores } = await open();
      const leads = timesOf(20).map((i) => (stores[i % 2] as Store).nodes.lead('sweep', `token-${i}`, 60_000));
      const outcomes = await Promise.all(leads);
      expect(outcomes.filter(Boolean)).to.have.length(1);
      const leader = `token-${outcomes.indexOf(true)}`;
      expect(await stores[1].nodes.lead('sweep', leader, 60_000)).to.equal(true);
      expect(await stores[0].nodes.lead('sweep', 'another', 60_000)).to.equal(false);
    });

    it('are independent of one another', async () => {
      const { stores } = await open();
      expect(await stores[0].nodes.lead('sweep', 'token-1', 60_000)).to.equal(true);
      expect(await stores[1].nodes.lead('recover', 'token-2', 60_000)).to.equal(true);
    });

    it('pass on when their time is over', async () => {
      const harness = await open();
      const [a, b] = harness.stores;
      await a.nodes.lead('sweep', 'token-1', 200);
      await inTime(harness, () => b.nodes.lead('sweep', 'token-2', 60_000), 'a free duty');
      expect(await a.nodes.lead('sweep', 'token-1', 60_000)).to.equal(false);
    });

    it('are renewed for as long as was asked last', async () => {
      const harness = await open();
      const [a, b] = harness.stores;
      await a.nodes.lead('renewed', 'token-1', 1_500);
      expect(await a.nodes.lead('renewed', 'token-1', 120_000)).to.equal(true);
      await a.nodes.lead('left', 'token-1', 1_500);
      await inTime(harness, () => b.nodes.lead('left', 'token-2', 60_000), 'a free duty');
      expect(await b.nodes.lead('renewed', 'token-2', 60_000)).to.equal(false);
    });
  });
}
