/** Contract of `EventLog`: reading, gaps, and how long a log lives. */
import { expect } from 'chai';
import { MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import { ALL, appended, openStream, texts } from './events.js';
import { describeContract, inTime, type OpenHarness } from './harness.js';

export function eventReadingContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: reading a log`, openHarness, (open) => {
    it('starts after a position and stops at the limit', async () => {
      const { stores } = await open();
      const { sessionId, streamId, entries, position } = await openStream(stores[0], texts(10));
      const read = (after: string, limit: number) => stores[1].log.read(sessionId, streamId, after, limit);
      expect((await read(START, 3)).entries).to.deep.equal(entries.slice(0, 3));
      expect((await read(position(2), 3)).entries).to.deep.equal(entries.slice(3, 6));
      expect((await read(position(7), 100)).entries).to.deep.equal(entries.slice(8));
      expect(await read(position(9), 100)).to.deep.include({ known: true, complete: true, entries: [] });
    });

    it('knows no log that never was', async () => {
      const { stores } = await open();
      const { sessionId } = await openStream(stores[0], texts(1));
      expect(await stores[1].log.read(sessionId, 'never', START, ALL)).to.deep.include({ known: false, entries: [] });
    });

    it('says that nothing follows once the end was read, and not before', async () => {
      const { stores } = await open();
      const { sessionId, streamId, position } = await openStream(stores[0], texts(3), 'call');
      const isOver = async (after: string, limit: number) =>
        (await stores[1].log.read(sessionId, streamId, after, limit)).over;
      expect(await isOver(START, ALL), 'before there is an end').to.equal(false);
      expect(await isOver(position(2), ALL), 'at the newest event, which is no end').to.equal(false);
      const end = appended(await stores[0].log.append(sessionId, streamId, [{ data: 'result', end: true }]));
      expect(await isOver(START, 3), 'up to the event before the end').to.equal(false);
      expect(await isOver(START, 4), 'up to the end').to.equal(true);
      expect(await isOver(position(2), ALL), 'the end alone').to.equal(true);
      expect(await isOver(end.entries[0]?.position ?? 'none', ALL), 'after the end').to.equal(true);
      expect((await stores[1].log.read(sessionId, 'never', START, ALL)).over, 'no log').to.equal(false);
    });

    it('says who sends the stream', async () => {
      const { stores } = await open();
      const { sessionId } = await openStream(stores[0], texts(1));
      const read = async () => (await stores[1].log.read(sessionId, MAIN_STREAM, START, ALL)).holder;
      expect(await read()).to.equal(undefined);
      const holder = { nodeToken: 'node', connectionId: 'get' };
      await stores[0].log.attachTail(sessionId, MAIN_STREAM, holder, { takeOver: false });
      expect(await read()).to.deep.equal(holder);
      await stores[0].log.detachTail(sessionId, MAIN_STREAM, holder, '1-0');
      expect(await read()).to.equal(undefined);
    });

    it('says that there is a gap where events were trimmed, and only then', async () => {
      const { stores } = await open({ streamMaxEvents: 100 });
      const { sessionId, streamId, entries } = await openStream(stores[0], texts(50));
      const all = [...entries];
      for (let from = 50; from < 1_000; from += 50) {
        all.push(...appended(await stores[0].log.append(sessionId, streamId, texts(50, from))).entries);
      }
      const fromStart = await stores[1].log.read(sessionId, streamId, START, ALL);
      expect(fromStart).to.deep.include({ known: true, complete: false });
      // At least what is promised, and not without bound: Redis trims by whole nodes of its own.
      expect(fromStart.entries.length).to.be.within(100, 400);
      expect(fromStart.entries).to.deep.equal(all.slice(-fromStart.entries.length));

      const trimmed = all[all.length - fromStart.entries.length - 2]?.position ?? 'none';
      expect((await stores[1].log.read(sessionId, streamId, trimmed, ALL)).complete).to.equal(false);
      const kept = fromStart.entries[0]?.position ?? 'none';
      const afterKept = await stores[1].log.read(sessionId, streamId, kept, ALL);
      expect(afterKept).to.deep.include({ known: true, complete: true, entries: fromStart.entries.slice(1) });
      const lastTrimmed = all[all.length - fromStart.entries.length - 1]?.position ?? 'none';
      const afterTrimmed = await stores[1].log.read(sessionId, streamId, lastTrimmed, ALL);
      expect(afterTrimmed.complete, 'after the last event that was trimmed').to.equal(true);
    });
  });

  describeContract(`${name}: the life of a log`, openHarness, (open) => {
    it('ends some time after its last event, while that of an unfinished stream goes on', async () => {
      const harness = await open({ streamTtlMs: 200 });
      const [a, b] = harness.stores;
      const unfinished = await openStream(a, texts(2), 'unfinished');
      await a.log.append(unfinished.sessionId, MAIN_STREAM, texts(2));
      const finished = await openStream(a, [...texts(2), { data: 'result', end: true }], 'finished');
      const isOver = async () => !(await b.log.read(finished.sessionId, 'finished', START, ALL)).known;
      await inTime(harness, isOver, 'end of the finished log');
      for (const streamId of ['unfinished', MAIN_STREAM]) {
        const read = await b.log.read(unfinished.sessionId, streamId, START, ALL);
        expect(read, streamId).to.deep.include({ known: true, complete: true });
        expect(read.entries).to.have.length(2);
      }
    });

    it('goes on for a while after its last event, so that it can be replayed', async () => {
      const { stores } = await open();
      const { sessionId, entries } = await openStream(stores[0], [{ data: 'result', end: true }], 'call');
      expect(await stores[1].log.read(sessionId, 'call', START, ALL)).to.deep.include({
        known: true,
        complete: true,
        over: true,
        entries,
      });
    });
  });
}
