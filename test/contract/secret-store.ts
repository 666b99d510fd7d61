/** Contract of `SecretStore`: the fleet agrees on each of its secrets. */
import { expect } from 'chai';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, type OpenHarness, timesOf } from './harness.js';

export function secretStoreContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: secrets`, openHarness, (open) => {
    it('are the same for many nodes that ask at once, and one of those that were offered', async () => {
      const { stores } = await open();
      const asked = timesOf(40).map((i) => (stores[i % 2] as Store).secrets.shared('state', `candidate ${i}`));
      const secrets = new Set(await Promise.all(asked));
      expect(secrets.size).to.equal(1);
      expect([...secrets][0]).to.match(/^candidate \d+$/);
    });

    it('stay what they are, whoever asks later', async () => {
      const { stores } = await open();
      const first = await stores[0].secrets.shared('state', 'first');
      expect(first).to.equal('first');
      for (const { secrets } of stores) expect(await secrets.shared('state', 'later')).to.equal('first');
    });

    it('are apart by name', async () => {
      const { stores } = await open();
      expect(await stores[0].secrets.shared('one', 'a')).to.equal('a');
      expect(await stores[1].secrets.shared('two', 'b')).to.equal('b');
      expect(await stores[1].secrets.shared('one', 'c')).to.equal('a');
    });
  });
}
