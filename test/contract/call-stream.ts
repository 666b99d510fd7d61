/** Contract of `EventLog` and `CallJournal`: appending for a call, with and without a stream of its own. */
import { expect } from 'chai';
import { type AppendOutcome, MAIN_STREAM, START, type TailHolder } from '../../src/core/ports/event-log.js';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, makeRecord, type OpenHarness, openSession } from './harness.js';

const HOLDER: TailHolder = { nodeToken: 'node-a', connectionId: 'response' };
const JOURNAL = '{"request":{"method":"tools/call","text":"ü \\" \\n"}}';
const A = 'node-a';
const B = 'node-b';
const FIRST_CLAIM = { outcome: 'claimed', journal: JOURNAL, claims: 1 };
const DATA = [{ data: 'event' }];

const open = { holder: HOLDER, journal: JOURNAL };

/** Opens a call with a stream of its own. */
const openCall = ({ log }: Store, sessionId: string, callId = 'call', owner = A): Promise<AppendOutcome> =>
  log.append(sessionId, callId, [{ data: '' }], { call: { callId, owner, open } });

const eventsOf = async ({ log }: Store, sessionId: string, streamId: string) =>
  (await log.read(sessionId, streamId, START, 1_000)).entries;

export function callStreamContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: a call with a stream of its own`, openHarness, (openStores) => {
    it('is journaled by the append that opens the stream, with the connection that sends it', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      const first = await openCall(stores[0], sessionId);
      expect(first).to.deep.include({ outcome: 'appended', previous: START, holder: HOLDER });
      expect(await stores[1].log.tailHolder(sessionId, 'call')).to.deep.equal(HOLDER);
      const next = await stores[0].log.append(sessionId, 'call', DATA, { call: { callId: 'call', owner: A } });
      expect(next).to.deep.include({ outcome: 'appended', holder: HOLDER });
      expect(await stores[1].calls.claim({ sessionId, callId: 'call' }, A, B, '')).to.deep.equal(FIRST_CLAIM);
    });

    it('takes events from nobody else, and keeps its owner and its connection', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      await openCall(stores[0], sessionId);
      await openCall(stores[0], sessionId, 'other');
      const other = { holder: { nodeToken: B, connectionId: 'other' }, journal: '{}' };
      for (const options of [
        {},
        { call: { callId: 'call', owner: B } },
        { call: { callId: 'call', owner: B, open: other } },
        { call: { callId: 'call', owner: B, finish: true } },
        { call: { callId: 'other', owner: A } },
      ]) {
        const outcome = await stores[1].log.append(sessionId, 'call', DATA, options);
        expect(outcome, JSON.stringify(options)).to.deep.equal({ outcome: 'fenced' });
      }
      expect(await eventsOf(stores[1], sessionId, 'call')).to.have.length(1);
      expect(await stores[1].log.tailHolder(sessionId, 'call')).to.deep.equal(HOLDER);
      expect(await stores[1].calls.claim({ sessionId, callId: 'call' }, A, B, '')).to.deep.equal(FIRST_CLAIM);
    });

    it('is opened by exactly one of two nodes at once', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      const outcomes = await Promise.all(stores.map((store, i) => openCall(store, sessionId, 'call', `node-${i}`)));
      expect(outcomes.map(({ outcome }) => outcome)).to.have.members(['appended', 'fenced']);
      expect(await eventsOf(stores[0], sessionId, 'call')).to.have.length(1);
    });

    it('leaves the journal with its last append, after which nothing is taken for it', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      await openCall(stores[0], sessionId);
      const last = { call: { callId: 'call', owner: A, finish: true } };
      const outcome = await stores[0].log.append(sessionId, 'call', [{ data: 'result', end: true }], last);
      expect(outcome.outcome).to.equal('appended');
      expect(await stores[1].calls.claim({ sessionId, callId: 'call' }, A, B, '')).to.deep.equal({ outcome: 'over' });
      for (const options of [{}, { call: { callId: 'call', owner: A } }, { call: { callId: 'call', owner: B } }]) {
        expect(await stores[0].log.append(sessionId, 'call', DATA, options)).to.deep.equal({ outcome: 'fenced' });
      }
      expect(await eventsOf(stores[1], sessionId, 'call')).to.have.length(2);
    });

    it('may try its last append again, which is stored once', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      await openCall(stores[0], sessionId);
      const last = { batch: 'last', call: { callId: 'call', owner: A, finish: true } };
      const finish = (again: boolean) =>
        stores[0].log.append(sessionId, 'call', [{ data: 'result', end: true }], { ...last, again });
      const first = await finish(false);
      expect(first.outcome).to.equal('appended');
      expect(await finish(true)).to.deep.equal(first);
      expect(await eventsOf(stores[1], sessionId, 'call')).to.have.length(2);
    });

    it('may try its first append again, which is stored once', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      const first = { batch: 'first', call: { callId: 'call', owner: A, open } };
      const outcome = await stores[0].log.append(sessionId, 'call', DATA, first);
      expect(outcome.outcome).to.equal('appended');
      expect(await stores[0].log.append(sessionId, 'call', DATA, { ...first, again: true })).to.deep.equal(outcome);
      expect(await eventsOf(stores[1], sessionId, 'call')).to.have.length(1);
    });
  });

  describeContract(`${name}: a call without a stream of its own`, openHarness, (openStores) => {
    it('is entered, appends to the main stream among others, and is over with its last append', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      expect(await stores[0].calls.enter({ sessionId, callId: 'call' }, A, JOURNAL)).to.equal(true);
      const append = (call?: { callId: string; owner: string; finish?: boolean }) =>
        stores[0].log.append(sessionId, MAIN_STREAM, DATA, call ? { call } : {});
      expect((await append({ callId: 'call', owner: A })).outcome).to.equal('appended');
      expect((await append()).outcome, 'of no call').to.equal('appended');
      expect(await append({ callId: 'call', owner: B }), 'of another node').to.deep.equal({ outcome: 'fenced' });
      expect(await append({ callId: 'never', owner: A }), 'of a call never entered').to.deep.equal({
        outcome: 'fenced',
      });
      expect((await append({ callId: 'call', owner: A, finish: true })).outcome).to.equal('appended');
      expect(await append({ callId: 'call', owner: A }), 'of a call that is over').to.deep.equal({ outcome: 'fenced' });
      expect((await append()).outcome, 'of no call').to.equal('appended');
      expect(await eventsOf(stores[1], sessionId, MAIN_STREAM)).to.have.length(4);
      expect(await stores[1].calls.claim({ sessionId, callId: 'call' }, A, B, '')).to.deep.equal({ outcome: 'over' });
    });

    it('may try its last append again, which is stored once', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      await stores[0].calls.enter({ sessionId, callId: 'call' }, A, JOURNAL);
      const last = { batch: 'last', call: { callId: 'call', owner: A, finish: true } };
      const first = await stores[0].log.append(sessionId, MAIN_STREAM, DATA, last);
      expect(first.outcome).to.equal('appended');
      await stores[1].log.append(sessionId, MAIN_STREAM, DATA);
      expect(await stores[0].log.append(sessionId, MAIN_STREAM, DATA, { ...last, again: true })).to.deep.equal(first);
      expect(await eventsOf(stores[1], sessionId, MAIN_STREAM)).to.have.length(2);
    });

    it('is not entered for a session that is gone', async () => {
      const { stores } = await openStores();
      const call = { sessionId: makeRecord().sessionId, callId: 'call' };
      expect(await stores[0].calls.enter(call, A, JOURNAL)).to.equal(false);
      expect(await stores[1].calls.claim(call, A, B, '')).to.deep.equal({ outcome: 'over' });
    });
  });
}
