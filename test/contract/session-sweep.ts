/** Contract of `SessionStore.sweep`: each ended session is reported once, with the reason, whoever sweeps. */
import { expect } from 'chai';
import type { SweepResult } from '../../src/core/ports/session-store.js';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, type Harness, inTime, isGone, type OpenHarness, openSession, timesOf } from './harness.js';

interface Counts {
  readonly expired: number;
  readonly maxAge: number;
}

/** Sweeps from all nodes at once until `total` sessions are reported, and once more to see that no other follows. */
async function sweepAll(harness: Harness, total: number, limit = 100): Promise<Counts> {
  const results: SweepResult[] = [];
  const all = (part: (result: SweepResult) => readonly string[]) => results.flatMap(part);
  const sweepOnce = async () => {
    results.push(...(await Promise.all(harness.stores.map(({ sessions }) => sessions.sweep(limit)))));
    return all(({ expired, maxAge }) => [...expired, ...maxAge]).length >= total;
  };
  await inTime(harness, sweepOnce, `report of ${total} ended sessions`);
  await sweepOnce();
  for (const { expired, maxAge } of results) {
    expect(expired.length + maxAge.length, 'reported by one sweep').to.be.at.most(limit);
  }
  const expired = all((result) => result.expired);
  const maxAge = all((result) => result.maxAge);
  expect(new Set([...expired, ...maxAge]).size, 'each reported once').to.equal(expired.length + maxAge.length);
  return { expired: expired.length, maxAge: maxAge.length };
}

const openMany = (store: Store, count: number) => Promise.all(timesOf(count).map(() => openSession(store)));

export function sessionSweepContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: the sweep`, openHarness, (open) => {
    it('reports each session that ran out idle once, over all nodes', async () => {
      const harness = await open({ sessionTtlMs: 200 });
      await openMany(harness.stores[0], 30);
      expect(await sweepAll(harness, 30)).to.deep.equal({ expired: 30, maxAge: 0 });
      expect(await harness.stores[0].sessions.count()).to.equal(0);
    });

    it('reports sessions that reached their greatest age as such', async () => {
      const harness = await open({ sessionMaxAgeMs: 200 });
      await openMany(harness.stores[1], 10);
      expect(await sweepAll(harness, 10)).to.deep.equal({ expired: 0, maxAge: 10 });
      expect(await harness.stores[1].sessions.count()).to.equal(0);
    });

    it('tells an idle end from a greatest age where both are set', async () => {
      const harness = await open({ sessionTtlMs: 200, sessionMaxAgeMs: 60_000 });
      await openMany(harness.stores[0], 5);
      expect(await sweepAll(harness, 5)).to.deep.equal({ expired: 5, maxAge: 0 });
    });

    it('does not report deleted sessions', async () => {
      const harness = await open({ sessionTtlMs: 400 });
      const [a, b] = harness.stores;
      const [deleted, left] = [await openMany(a, 10), await openMany(a, 10)];
      const outcomes = await Promise.all(deleted.map((record) => b.sessions.delete(record)));
      const early = outcomes.filter(Boolean).length;
      // A slow machine may be too late for some; what counts is that each end is told in exactly one of the two ways.
      const reported = await sweepAll(harness, deleted.length + left.length - early);
      expect(reported).to.deep.equal({ expired: deleted.length + left.length - early, maxAge: 0 });
    });

    it('reports a session that ran out although somebody came to delete it afterwards', async () => {
      const harness = await open({ sessionTtlMs: 200 });
      const [a, b] = harness.stores;
      const record = await openSession(a);
      await inTime(harness, () => isGone(b, record), 'end of the session');
      expect(await b.sessions.delete(record)).to.equal(false);
      expect(await sweepAll(harness, 1)).to.deep.equal({ expired: 1, maxAge: 0 });
    });

    it('lets sessions be that live', async () => {
      const harness = await open({ sessionTtlMs: 200 }, { sessionTtlMs: 120_000 });
      const [short, long] = harness.stores;
      const living = await openMany(long, 10);
      await openMany(short, 10);
      expect(await sweepAll(harness, 10)).to.deep.equal({ expired: 10, maxAge: 0 });
      expect(await long.sessions.count()).to.equal(10);
      for (const { sessionId } of living) expect(await long.sessions.touch(sessionId)).not.to.equal(undefined);
    });

    it('lets sessions be that were renewed past the end they had at first', async () => {
      const harness = await open({ sessionTtlMs: 1_000 }, { sessionTtlMs: 120_000 });
      const [short, long] = harness.stores;
      const renewed = await openMany(short, 5);
      await long.sessions.renew(renewed.map(({ sessionId }) => sessionId));
      await openMany(short, 5);
      expect(await sweepAll(harness, 5)).to.deep.equal({ expired: 5, maxAge: 0 });
      expect(await long.sessions.count()).to.equal(5);
    });

    for (const [reason, limits, expected] of [
      ['idle', { sessionTtlMs: 200 }, { expired: 25, maxAge: 0 }],
      ['old', { sessionMaxAgeMs: 200 }, { expired: 0, maxAge: 25 }],
    ] as const) {
      it(`reports no more ${reason} sessions than the limit in one call, and the rest in the next ones`, async () => {
        const harness = await open(limits);
        const records = await openMany(harness.stores[0], 25);
        const allGone = async () =>
          (await Promise.all(records.map((r) => isGone(harness.stores[0], r)))).every(Boolean);
        await inTime(harness, allGone, 'end of all sessions');
        expect(await sweepAll(harness, 25, 4)).to.deep.equal(expected);
      });
    }

    it('reports nothing where nothing ended', async () => {
      const { stores } = await open();
      await openSession(stores[0]);
      for (const { sessions } of stores) expect(await sessions.sweep(100)).to.deep.equal({ expired: [], maxAge: [] });
    });
  });
}
