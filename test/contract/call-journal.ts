/** Contract of `CallJournal`: one node at a time runs a call, and a survivor finds those of a dead one. */
import { expect } from 'chai';
import { type AppendOutcome, MAIN_STREAM, START, type TailHolder } from '../../src/core/ports/event-log.js';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, inTime, makeRecord, type OpenHarness, openSession, timesOf } from './harness.js';

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

export function callJournalContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: claiming a call`, openHarness, (openStores) => {
    for (const [kind, streamId] of [
      ['with', 'call'],
      ['without', MAIN_STREAM],
    ] as const) {
      it(`${kind} a stream of its own fences the former owner, and the log goes on with the new one`, async () => {
        const { stores } = await openStores();
        const { sessionId } = await openSession(stores[0]);
        const call = { sessionId, callId: 'call' };
        if (streamId === MAIN_STREAM) await stores[0].calls.enter(call, A, JOURNAL);
        else await openCall(stores[0], sessionId);
        const before = await eventsOf(stores[1], sessionId, streamId);
        expect(await stores[1].calls.claim(call, A, B, '')).to.deep.equal(FIRST_CLAIM);
        const append = (owner: string, finish: boolean) =>
          stores[0].log.append(sessionId, streamId, DATA, { call: { callId: 'call', owner, finish } });
        expect(await append(A, false)).to.deep.equal({ outcome: 'fenced' });
        expect(await append(A, true)).to.deep.equal({ outcome: 'fenced' });
        const outcome = await append(B, true);
        expect(outcome).to.deep.include({ outcome: 'appended', previous: before.at(-1)?.position ?? START });
        expect(await eventsOf(stores[0], sessionId, streamId)).to.have.length(before.length + 1);
      });
    }

    it('succeeds for exactly one of several, and only from the node that has it', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      const call = { sessionId, callId: 'call' };
      await stores[0].calls.enter(call, A, JOURNAL);
      expect(await stores[1].calls.claim(call, B, 'node-c', '')).to.deep.equal({ outcome: 'held', owner: A });
      const claims = timesOf(20).map((i) => (stores[i % 2] as Store).calls.claim(call, A, `survivor-${i}`, ''));
      const outcomes = await Promise.all(claims);
      expect(outcomes.filter(({ outcome }) => outcome === 'claimed')).to.deep.equal([FIRST_CLAIM]);
      const winner = `survivor-${outcomes.findIndex(({ outcome }) => outcome === 'claimed')}`;
      // Its answer may not have come: then it is asked for again, and is no second claim.
      for (const from of [A, winner])
        expect(await stores[1].calls.claim(call, from, winner, '')).to.deep.equal(FIRST_CLAIM);
      expect(await stores[0].calls.claim(call, winner, 'next', ''), 'from the winner').to.deep.equal({
        outcome: 'claimed',
        journal: JOURNAL,
        claims: 2,
      });
    });

    it('does not count the claims of owners that left in order', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      const call = { sessionId, callId: 'call' };
      await openCall(stores[0], sessionId);
      await stores[0].calls.leave(call, A);
      await stores[1].calls.leave(call, B);
      const uncounted = { ...FIRST_CLAIM, claims: 0 };
      expect(await stores[1].calls.claim(call, A, B, '')).to.deep.equal(uncounted);
      await stores[1].calls.leave(call, B);
      expect(await stores[0].calls.claim(call, B, A, '')).to.deep.equal(uncounted);
      expect(await stores[1].calls.claim(call, A, B, '')).to.deep.equal(FIRST_CLAIM);
      await stores[0].calls.leave({ sessionId, callId: 'never' }, A);
      expect(await stores[1].calls.claim({ sessionId, callId: 'never' }, A, B, '')).to.deep.equal({ outcome: 'over' });
    });

    it('leaves a journal of another form as it is, for a node that knows it', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      const call = { sessionId, callId: 'call' };
      await stores[0].calls.enter(call, A, JOURNAL);
      expect(await stores[1].calls.claim(call, A, B, `other ${JOURNAL}`)).to.deep.equal({ outcome: 'unknown' });
      expect(await stores[1].calls.claim(call, A, B, JOURNAL.slice(0, 5))).to.deep.equal(FIRST_CLAIM);
    });

    it('gets nothing of a call that never was', async () => {
      const { stores } = await openStores();
      const { sessionId } = await openSession(stores[0]);
      expect(await stores[0].calls.claim({ sessionId, callId: 'never' }, A, B, '')).to.deep.equal({ outcome: 'over' });
    });
  });

  describeContract(`${name}: the list of a node's calls`, openHarness, (openStores) => {
    it('has what was listed and not taken out, for each node apart', async () => {
      const { stores } = await openStores();
      const [a, b] = stores;
      const [one, two, three] = timesOf(3).map((i) => ({ sessionId: makeRecord().sessionId, callId: `call-${i}` }));
      if (!one || !two || !three) throw new Error('three calls');
      for (const call of [one, two, two]) await a.calls.list(A, call);
      await b.calls.list(B, three);
      expect(await b.calls.listed(A, 100)).to.have.deep.members([one, two]);
      await b.calls.unlist(A, one);
      await b.calls.unlist(A, three);
      expect(await a.calls.listed(A, 100)).to.deep.equal([two]);
      expect(await a.calls.listed(B, 100)).to.deep.equal([three]);
      await a.calls.unlist(A, two);
      expect(await b.calls.listed(A, 100)).to.deep.equal([]);
    });

    it('is given in parts', async () => {
      const { stores } = await openStores();
      const calls = timesOf(30).map((i) => ({ sessionId: makeRecord().sessionId, callId: `call-${i}` }));
      await Promise.all(calls.map((call) => stores[0].calls.list(A, call)));
      const seen: string[] = [];
      for (let part = await stores[1].calls.listed(A, 8); part.length > 0; part = await stores[1].calls.listed(A, 8)) {
        expect(part.length).to.be.at.most(8);
        for (const call of part) {
          seen.push(call.callId);
          await stores[1].calls.unlist(A, call);
        }
      }
      expect(seen).to.have.members(calls.map(({ callId }) => callId));
    });

    it('outlives the lease of its node, and is not there any more when the node was buried', async () => {
      const harness = await openStores({ nodeLeaseMs: 300 });
      const [a, b] = harness.stores;
      const call = { sessionId: makeRecord().sessionId, callId: 'call' };
      await a.nodes.claim('node', A);
      await a.calls.list(A, call);
      await a.calls.renew(A);
      await inTime(harness, async () => (await b.nodes.dead()).includes(A), 'a dead node');
      expect(await b.calls.listed(A, 100)).to.deep.equal([call]);
      await b.nodes.bury(A);
      expect(await b.calls.listed(A, 100)).to.deep.equal([]);
    });

    it('is not begun by renewing it', async () => {
      const { stores } = await openStores();
      await stores[0].calls.renew(A);
      expect(await stores[1].calls.listed(A, 100)).to.deep.equal([]);
    });
  });
}
