/** Contract of `SessionStore.create`: the cap on sessions holds over the whole fleet. */
import { expect } from 'chai';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, inTime, isGone, makeRecord, type OpenHarness, openSession, timesOf } from './harness.js';

export function sessionCapContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: the cap on sessions`, openHarness, (open) => {
    const createMany = (stores: readonly Store[], count: number, maxSessions: number) =>
      Promise.all(
        timesOf(count).map((i) => (stores[i % stores.length] as Store).sessions.create(makeRecord(), { maxSessions })),
      );

    it('holds over all nodes when many sessions are opened at once', async () => {
      const { stores } = await open();
      const outcomes = await createMany(stores, 50, 12);
      expect(outcomes.filter((outcome) => outcome === 'created')).to.have.length(12);
      expect(outcomes.filter((outcome) => outcome === 'full')).to.have.length(38);
      for (const { sessions } of stores) expect(await sessions.count()).to.equal(12);
    });

    it('stores nothing of a session that is turned away', async () => {
      const { stores } = await open();
      await createMany(stores, 1, 1);
      const record = makeRecord();
      const options = { maxSessions: 1, state: new Map([['key', '1']]) };
      expect(await stores[1].sessions.create(record, options)).to.equal('full');
      expect(await stores[0].sessions.touch(record.sessionId)).to.equal(undefined);
      expect(await stores[0].sessions.getState(record.sessionId, 'key')).to.equal(undefined);
    });

    it('has room again after a session was deleted', async () => {
      const { stores } = await open();
      const record = await openSession(stores[0]);
      expect(await createMany(stores, 2, 1)).to.deep.equal(['full', 'full']);
      await stores[0].sessions.delete(record);
      expect(await createMany(stores, 1, 1)).to.deep.equal(['created']);
    });

    it('has room again after sessions ran out and were swept', async () => {
      const harness = await open({ sessionTtlMs: 200 });
      const [a, b] = harness.stores;
      const record = await openSession(a);
      await inTime(harness, () => isGone(a, record), 'end of the session in the way');
      await b.sessions.sweep(100);
      expect(await createMany([b], 1, 1)).to.deep.equal(['created']);
    });
  });
}
