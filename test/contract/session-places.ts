/** Contract of `SessionStore.create`: places in pools, which last exactly as long as the session. */
import { expect } from 'chai';
import type { SessionRecord } from '../../src/core/ports/session-store.js';
import type { Place } from '../../src/core/ports/slots.js';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, inTime, isGone, makeRecord, type OpenHarness, timesOf } from './harness.js';

const PROBE_STATE = new Map([['probe', 'true']]);

export function sessionPlacesContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: places of sessions`, openHarness, (open) => {
    const create = (store: Store, places: readonly Place[], record: SessionRecord = makeRecord(), maxSessions = 0) =>
      store.sessions.create(record, { maxSessions, state: PROBE_STATE, places });
    const ada = (limit: number): Place => ({ pool: 'user:ada', limit });
    const bob = (limit: number): Place => ({ pool: 'user:bob', limit });

    it('are counted over all nodes when many sessions are opened at once', async () => {
      const { stores } = await open();
      const place = ada(7);
      const outcomes = await Promise.all(timesOf(30).map((i) => create(stores[i % 2] as Store, [place])));
      expect(outcomes.filter((outcome) => outcome === 'created')).to.have.length(7);
      expect(outcomes.filter((outcome) => outcome !== 'created')).to.deep.equal(
        timesOf(23).map(() => ({ full: place })),
      );
      expect(await create(stores[1], [bob(1)])).to.equal('created');
      expect(await stores[0].sessions.count()).to.equal(8);
    });

    it('are taken in all pools or in none, and nothing is stored for who is refused', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      await create(a, [bob(1)]);
      const record = makeRecord();
      expect(await create(b, [ada(1), bob(1)], record)).to.deep.equal({ full: bob(1) });
      expect(await create(b, [ada(1)], record, 1), 'the fleet is full').to.equal('full');
      expect(await a.sessions.touch(record.sessionId)).to.equal(undefined);
      expect(await isGone(a, record)).to.equal(true);
      expect(await create(a, [ada(1)]), 'no place was kept').to.equal('created');
    });

    it('do not count where a pool has no limit', async () => {
      const { stores } = await open();
      for (const _ of timesOf(5)) expect(await create(stores[0], [ada(0)])).to.equal('created');
    });

    it('are free at once when the session is deleted', async () => {
      const { stores } = await open();
      const record = makeRecord();
      await create(stores[0], [ada(1)], record);
      expect(await create(stores[1], [ada(1)])).to.deep.equal({ full: ada(1) });
      expect(await stores[1].sessions.findFull([bob(1), ada(1)]), 'told beforehand').to.deep.equal(ada(1));
      expect(await stores[0].sessions.findFull([bob(1), ada(2), ada(0)])).to.equal(undefined);
      await stores[1].sessions.delete(record);
      expect(await stores[0].sessions.findFull([ada(1)])).to.equal(undefined);
      expect(await create(stores[1], [ada(1)])).to.equal('created');
    });

    it('are free when the session has run out, before any sweep', async () => {
      const harness = await open({ sessionTtlMs: 200 });
      const [a, b] = harness.stores;
      const record = makeRecord({ createdAt: Date.now() });
      await create(a, [ada(1)], record);
      await inTime(harness, () => isGone(a, record), 'end of the session');
      await inTime(harness, async () => (await create(b, [ada(1)])) === 'created', 'a place');
    });

    it('stay with a session that is used, past its first life, through asking and sweeping', async () => {
      const harness = await open({ sessionTtlMs: 200 }, {});
      const [short, long] = harness.stores;
      const [used, idle] = [makeRecord(), makeRecord()];
      await create(short, [ada(2)], used);
      await create(short, [ada(2)], idle);
      // Renewed by the store in which sessions live long: from now on its first end says nothing about it.
      await long.sessions.touch(used.sessionId);
      await inTime(harness, () => isGone(short, idle), 'end of the idle session');
      await inTime(harness, async () => (await create(long, [ada(2)])) === 'created', 'the place of the idle session');
      expect(await create(long, [ada(2)])).to.deep.equal({ full: ada(2) });
      await long.sessions.sweep(100);
      expect(await create(long, [ada(2)]), 'after a sweep').to.deep.equal({ full: ada(2) });
    });
  });
}
