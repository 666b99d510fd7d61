/** Contract of `Slots`: places that are counted over the whole fleet, and leased. */
import { expect } from 'chai';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, inTime, type OpenHarness, timesOf } from './harness.js';

export function slotsContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: places in a pool`, openHarness, (open) => {
    it('are counted over all nodes, also when all ask at once', async () => {
      const { stores } = await open();
      const asked = timesOf(30).map((i) => (stores[i % 2] as Store).slots.acquire('pool', `holder-${i}`, 7));
      expect((await Promise.all(asked)).filter(Boolean)).to.have.length(7);
      expect(await stores[1].slots.acquire('other pool', 'holder', 1)).to.equal(true);
    });

    it('are not taken twice by one holder', async () => {
      const { stores } = await open();
      expect(await stores[0].slots.acquire('pool', 'a', 2)).to.equal(true);
      expect(await stores[1].slots.acquire('pool', 'a', 2)).to.equal(true);
      expect(await stores[1].slots.acquire('pool', 'b', 2)).to.equal(true);
      expect(await stores[0].slots.acquire('pool', 'c', 2)).to.equal(false);
    });

    it('are free at once when they are given back', async () => {
      const { stores } = await open();
      await stores[0].slots.acquire('pool', 'a', 1);
      await stores[1].slots.release('pool', 'a');
      expect(await stores[1].slots.acquire('pool', 'b', 1)).to.equal(true);
    });

    it('come free by themselves when their holder is not heard of, and stay when it is', async () => {
      const harness = await open({ nodeLeaseMs: 100 }, {});
      const [short, long] = harness.stores;
      await short.slots.acquire('pool', 'silent', 2);
      await short.slots.acquire('pool', 'alive', 2);
      await long.slots.renew('pool', ['alive']);
      await inTime(harness, () => long.slots.acquire('pool', 'next', 2), 'a place');
      expect(await long.slots.acquire('pool', 'one too many', 2)).to.equal(false);
    });

    it('that were lost are taken again by a holder that still needs them', async () => {
      const { stores } = await open();
      await stores[0].slots.renew('pool', ['a', 'b']);
      expect(await stores[1].slots.acquire('pool', 'c', 2)).to.equal(false);
    });
  });
}
