/**
 * Contract of `EventLog`: appending. Reading is in event-reading.ts, tails are in event-tail.ts, what a call may append in
 * call-stream.ts.
 */
import { expect } from 'chai';
import { MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import type { Store } from '../../src/core/ports/store.js';
import { ALL, appended, openStream, texts } from './events.js';
import { compare, describeContract, makeRecord, type OpenHarness, openSession, timesOf } from './harness.js';

export function eventLogContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: appending to a log`, openHarness, (open) => {
    it('stores events in the order given, readable on every node', async () => {
      const { stores } = await open();
      const { sessionId, entries } = await openStream(stores[0], [
        { data: '' },
        { data: '{"text":"ü ☃ \\n"}' },
        { data: 'x'.repeat(1_000_000) },
        { data: 'last', end: true },
      ]);
      expect(entries.map(({ end }) => end)).to.deep.equal([false, false, false, true]);
      expect(entries.map(({ data }) => data.length)).to.deep.equal([0, 17, 1_000_000, 4]);
      for (const { log } of stores) {
        const read = await log.read(sessionId, MAIN_STREAM, START, ALL);
        expect(read).to.deep.equal({ known: true, complete: true, over: true, entries, holder: undefined });
      }
    });

    it('gives positions that grow and names the one before', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      let previous = START;
      for (const i of timesOf(20)) {
        const outcome = appended(await (stores[i % 2] as Store).log.append(sessionId, 'call', texts(3)));
        expect(outcome.previous).to.equal(previous);
        for (const { position } of outcome.entries) {
          expect(position).to.match(/^\d+-\d+$/);
          expect(compare(previous, position), `${previous} before ${position}`).to.be.below(0);
          previous = position;
        }
      }
    });

    it('keeps batches whole and in one order when both nodes append at once', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      const outcomes = await Promise.all(
        timesOf(60).map((i) => (stores[i % 2] as Store).log.append(sessionId, 'call', texts(3, i * 3))),
      );
      const { entries } = await stores[0].log.read(sessionId, 'call', START, ALL);
      expect(entries).to.have.length(180);
      const byPrevious = new Map(outcomes.map(appended).map((outcome) => [outcome.previous, outcome.entries]));
      let previous = START;
      for (let i = 0; i < 60; i += 1) {
        const batch = byPrevious.get(previous);
        expect(batch, `the batch after ${previous}`).to.deep.equal(entries.slice(i * 3, i * 3 + 3));
        previous = batch?.at(-1)?.position ?? 'none';
      }
    });

    it('keeps the streams of a session apart, and those of sessions', async () => {
      const { stores } = await open();
      const one = await openStream(stores[0], [{ data: 'one' }]);
      const two = await openStream(stores[0], [{ data: 'two' }]);
      await stores[0].log.append(one.sessionId, 'call', [{ data: 'call' }]);
      const read = async (sessionId: string, streamId: string) =>
        (await stores[1].log.read(sessionId, streamId, START, ALL)).entries.map(({ data }) => data);
      expect(await read(one.sessionId, MAIN_STREAM)).to.deep.equal(['one']);
      expect(await read(two.sessionId, MAIN_STREAM)).to.deep.equal(['two']);
      expect(await read(one.sessionId, 'call')).to.deep.equal(['call']);
    });

    it('says that a session is gone and stores nothing', async () => {
      const { stores } = await open();
      const { sessionId } = makeRecord();
      expect(await stores[0].log.append(sessionId, MAIN_STREAM, texts(2))).to.deep.equal({ outcome: 'gone' });
      expect(await stores[1].log.read(sessionId, MAIN_STREAM, START, ALL)).to.deep.include({
        known: false,
        entries: [],
      });
    });
  });

  describeContract(`${name}: an append that is tried again`, openHarness, (open) => {
    it('is stored once and answered as the first time', async () => {
      const { stores } = await open();
      const { sessionId } = await openStream(stores[0], texts(2));
      const append = (batch: string, from: number, count: number, again: boolean) =>
        stores[0].log.append(sessionId, MAIN_STREAM, texts(count, from), { batch, again });
      const first = await append('a', 2, 3, false);
      expect(await append('a', 2, 3, true)).to.deep.equal(first);
      const next = await append('b', 5, 1, false);
      expect(appended(next).previous).to.equal(appended(first).entries[2]?.position);
      expect(await append('a', 2, 3, true), 'after others').to.deep.equal(first);
      const { entries } = await stores[1].log.read(sessionId, MAIN_STREAM, START, ALL);
      expect(entries.map(({ data }) => data)).to.deep.equal(texts(6).map(({ data }) => data));
    });

    it('is stored when the first try was not', async () => {
      const { stores } = await open();
      const { sessionId } = await openStream(stores[0], texts(1));
      const options = { batch: 'a', again: true };
      const outcome = appended(await stores[0].log.append(sessionId, MAIN_STREAM, texts(2, 1), options));
      expect(await stores[0].log.append(sessionId, MAIN_STREAM, texts(2, 1), options)).to.deep.equal(outcome);
      expect((await stores[1].log.read(sessionId, MAIN_STREAM, START, ALL)).entries).to.have.length(3);
    });

    it('is stored once though the first try is still on its way and others come between', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      const append = (i: number, again: boolean) =>
        (stores[i % 2] as Store).log.append(sessionId, MAIN_STREAM, texts(2, i), { batch: `batch ${i}`, again });
      await Promise.all(timesOf(30).flatMap((i) => [append(i, false), append(i, true)]));
      const { entries } = await stores[0].log.read(sessionId, MAIN_STREAM, START, ALL);
      expect(entries).to.have.length(60);
    });

    it('is not taken for one of another stream', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      for (const streamId of [MAIN_STREAM, 'call']) {
        await stores[0].log.append(sessionId, streamId, texts(1), { batch: 'a', again: true });
        expect((await stores[1].log.read(sessionId, streamId, START, ALL)).entries).to.have.length(1);
      }
    });
  });
}
