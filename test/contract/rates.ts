/** Contract of `Rates`: permits for requests, given out in shares and never more than the limit in a window. */
import { expect } from 'chai';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, inTime, type OpenHarness, timesOf } from './harness.js';

const WINDOW_MS = 60_000;

export function ratesContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: permits`, openHarness, (open) => {
    const takeAll = async (stores: readonly Store[], limit: number): Promise<number[]> => {
      const shares: number[] = [];
      for (let i = 0; ; i += 1) {
        const store = stores[i % stores.length] as Store;
        const { granted, forMs } = await store.rates.take('counter', 1, limit, WINDOW_MS);
        expect(forMs).to.be.within(1, WINDOW_MS);
        if (granted === 0) return shares;
        shares.push(granted);
      }
    };

    it('are given out to the last one and no further, whoever takes them', async () => {
      const { stores } = await open();
      const shares = await takeAll(stores, 1000);
      expect(shares.reduce((sum, share) => sum + share, 0)).to.equal(1000);
      expect(shares[0], 'many at once while there are many').to.equal(31);
      expect(shares.slice(-60), 'one by one at the end').to.deep.equal(timesOf(60).map(() => 1));
    });

    it('are given out one by one where the limit is small', async () => {
      const { stores } = await open();
      expect(await takeAll(stores, 7)).to.deep.equal(timesOf(7).map(() => 1));
    });

    it('are as many as are wanted, or as are left, also when all ask at once', async () => {
      const { stores } = await open();
      const asked = timesOf(10).map((i) => (stores[i % 2] as Store).rates.take('counter', 4, 30, WINDOW_MS));
      const granted = (await Promise.all(asked)).map((share) => share.granted);
      expect(granted).to.have.members([4, 4, 4, 4, 4, 4, 4, 2, 0, 0]);
    });

    it('are counted for each by itself', async () => {
      const { stores } = await open();
      await stores[0].rates.take('one', 5, 5, WINDOW_MS);
      expect((await stores[1].rates.take('one', 1, 5, WINDOW_MS)).granted).to.equal(0);
      expect((await stores[1].rates.take('other', 1, 5, WINDOW_MS)).granted).to.equal(1);
    });

    it('are there again in the next window, which has another name', async () => {
      const harness = await open();
      const [a, b] = harness.stores;
      const first = await a.rates.take('counter', 3, 3, 150);
      const full = await b.rates.take('counter', 1, 3, 150);
      expect([first.granted, full.granted, full.window]).to.deep.equal([3, 0, first.window]);
      let next = full;
      await inTime(
        harness,
        async () => {
          next = await b.rates.take('counter', 1, 3, 150);
          return next.granted > 0;
        },
        'the next window',
      );
      expect(next.window).to.not.equal(first.window);
    });
  });
}
