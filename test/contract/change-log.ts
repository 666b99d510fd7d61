/** Contract of `ChangeLog`: one order for the whole fleet, told to every node, and honest about what is gone. */
import { expect } from 'chai';
import type { Change } from '../../src/core/ports/change-log.js';
import { START } from '../../src/core/ports/event-log.js';
import type { Store } from '../../src/core/ports/store.js';
import { compare, describeContract, inTime, listen, type OpenHarness, timesOf } from './harness.js';

const ALL = 100_000;
const resource = (i: number): Change => ({ kind: 'resource', uri: `test://${i}?ü={"x"}` });

export function changeLogContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: the change log`, openHarness, (open) => {
    it('is empty at first', async () => {
      const { stores } = await open();
      expect(await stores[0].changes.latest()).to.equal(START);
      expect(await stores[1].changes.read(START, ALL)).to.deep.equal({ complete: true, entries: [] });
    });

    it('keeps changes of every kind, in order, for every node', async () => {
      const { stores } = await open();
      const changes: Change[] = [
        { kind: 'tools' },
        resource(1),
        { kind: 'prompts' },
        { kind: 'resources' },
        resource(2),
      ];
      const entries = [];
      for (const [i, change] of changes.entries()) {
        const position = await (stores[i % 2] as Store).changes.append(change);
        entries.push({ position, change });
      }
      for (const { changes: log } of stores) {
        expect(await log.read(START, ALL)).to.deep.equal({ complete: true, entries });
        expect(await log.latest()).to.equal(entries.at(-1)?.position);
        expect((await log.read(entries[1]?.position ?? START, 2)).entries).to.deep.equal(entries.slice(2, 4));
      }
    });

    it('says of a position that it has not come to that something is missing', async () => {
      const { stores } = await open();
      const position = await stores[0].changes.append({ kind: 'tools' });
      expect((await stores[1].changes.read(position, ALL)).complete).to.equal(true);
      const [time, sequence] = position.split('-').map(Number) as [number, number];
      for (const ahead of [`${time}-${sequence + 1}`, `${time + 60_000}-0`]) {
        expect(await stores[1].changes.read(ahead, ALL)).to.deep.equal({ complete: false, entries: [] });
      }
    });

    it('tells both nodes of each change, in order, with the position before it', async () => {
      const { stores } = await open();
      const nodes = [await listen(stores[0]), await listen(stores[1])];
      const appends = timesOf(100).map((i) => (stores[i % 2] as Store).changes.append(resource(i)));
      const positions = (await Promise.all(appends)).sort(compare);
      for (const node of nodes) {
        await node.until(() => node.changes.length >= 100, 'all changes');
        expect(node.changes.map(({ entry }) => entry.position)).to.deep.equal(positions);
        expect(node.changes.map(({ previous }) => previous)).to.deep.equal([START, ...positions.slice(0, -1)]);
      }
      const { entries } = await stores[0].changes.read(START, ALL);
      expect(nodes[0]?.changes.map(({ entry }) => entry)).to.deep.equal(entries);
      expect(nodes[1]?.changes.map(({ entry }) => entry)).to.deep.equal(entries);
    });

    it('tells a node that starts later only of what follows, and of the position before', async () => {
      const { stores } = await open();
      const missed = await stores[0].changes.append({ kind: 'tools' });
      const node = await listen(stores[1]);
      const position = await stores[0].changes.append({ kind: 'prompts' });
      await node.until(() => node.changes.length > 0, 'the second change');
      expect(node.changes).to.deep.equal([{ previous: missed, entry: { position, change: { kind: 'prompts' } } }]);
    });

    it('never passes silently over a change that is gone', async () => {
      const harness = await open({ streamTtlMs: 200 });
      const [a, b] = harness.stores;
      const seen = await a.changes.append({ kind: 'tools' });
      const later = await a.changes.append(resource(1));
      const readsHonestly = async () => {
        const { complete, entries } = await b.changes.read(seen, ALL);
        const isThere = entries.some(({ position }) => position === later);
        expect(isThere || !complete, 'a change is either read or said to be missing').to.equal(true);
        return !isThere;
      };
      // A store may keep more than it must: until its own bookkeeping ends it has nothing to confess.
      const end = Date.now() + 1_000;
      await inTime(harness, async () => (await readsHonestly()) || Date.now() > end, 'end of the change');
      await a.changes.append(resource(2));
      await readsHonestly();
    });
  });
}
