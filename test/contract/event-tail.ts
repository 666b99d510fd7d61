/** Contract of `EventLog`: which connection sends a stream, and how far it got. */
import { expect } from 'chai';
import { MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import { CALL, IF_FREE, ONE, opening, TAKE_OVER, TWO } from './events.js';
import { describeContract, inTime, makeRecord, type OpenHarness, openSession } from './harness.js';

export function eventTailContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: the tail of a stream`, openHarness, (open) => {
    it('is taken by the first, before there is any event, and every node knows who has it', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      expect(await stores[0].log.tailHolder(sessionId, MAIN_STREAM)).to.equal(undefined);
      const attached = await stores[0].log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      expect(attached).to.deep.equal({ outcome: 'attached', delivered: undefined, former: undefined });
      expect(await stores[1].log.tailHolder(sessionId, MAIN_STREAM)).to.deep.equal(ONE);
      const outcome = await stores[1].log.append(sessionId, MAIN_STREAM, [{ data: 'first' }]);
      expect(outcome).to.deep.include({ outcome: 'appended', previous: START, holder: ONE });
    });

    it('stays with its holder unless it is taken over', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      await stores[0].log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      const refused = await stores[1].log.attachTail(sessionId, MAIN_STREAM, TWO, IF_FREE);
      expect(refused).to.deep.equal({ outcome: 'held', holder: ONE });
      expect(await stores[1].log.tailHolder(sessionId, MAIN_STREAM)).to.deep.equal(ONE);
      expect(await stores[0].log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE)).to.deep.include({
        outcome: 'attached',
      });
      expect(await stores[1].log.attachTail(sessionId, MAIN_STREAM, TWO, TAKE_OVER)).to.deep.include({
        outcome: 'attached',
      });
      expect(await stores[0].log.tailHolder(sessionId, MAIN_STREAM)).to.deep.equal(TWO);
    });

    it('is free after it was given up', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      await stores[0].log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      await stores[0].log.detachTail(sessionId, MAIN_STREAM, ONE, '5-0');
      expect(await stores[1].log.tailHolder(sessionId, MAIN_STREAM)).to.equal(undefined);
      const next = await stores[1].log.attachTail(sessionId, MAIN_STREAM, TWO, IF_FREE);
      expect(next).to.deep.equal({ outcome: 'attached', delivered: '5-0', former: undefined });
    });

    it('passes on how far its last holder had sent', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      await stores[0].log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      await stores[0].log.recordDelivered(sessionId, MAIN_STREAM, ONE, '1-0');
      await stores[0].log.recordDelivered(sessionId, MAIN_STREAM, ONE, 'opaque: 2-0 & more');
      const next = await stores[1].log.attachTail(sessionId, MAIN_STREAM, TWO, TAKE_OVER);
      expect(next).to.deep.equal({ outcome: 'attached', delivered: 'opaque: 2-0 & more', former: ONE });
    });

    it('ignores what somebody says who does not hold it any more', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      await a.log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      await a.log.recordDelivered(sessionId, MAIN_STREAM, ONE, '1-0');
      await b.log.attachTail(sessionId, MAIN_STREAM, TWO, TAKE_OVER);
      await a.log.recordDelivered(sessionId, MAIN_STREAM, ONE, '7-0');
      await a.log.detachTail(sessionId, MAIN_STREAM, ONE, '8-0');
      // Another connection of the same node is somebody else, too.
      await b.log.detachTail(sessionId, MAIN_STREAM, { ...TWO, connectionId: 'other' }, '9-0');
      expect(await a.log.tailHolder(sessionId, MAIN_STREAM)).to.deep.equal(TWO);
      const again = await b.log.attachTail(sessionId, MAIN_STREAM, TWO, IF_FREE);
      expect(again).to.deep.equal({ outcome: 'attached', delivered: '1-0', former: undefined });
    });

    it('goes to exactly one of many who want it at once', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      const holders = Array.from({ length: 20 }, (_, i) => ({ nodeToken: `token-${i}`, connectionId: 'c' }));
      const outcomes = await Promise.all(
        holders.map((holder, i) =>
          (stores[i % 2] ?? stores[0]).log.attachTail(sessionId, MAIN_STREAM, holder, IF_FREE),
        ),
      );
      expect(outcomes.filter(({ outcome }) => outcome === 'attached')).to.have.length(1);
      const winner = holders[outcomes.findIndex(({ outcome }) => outcome === 'attached')];
      expect(await stores[1].log.tailHolder(sessionId, MAIN_STREAM)).to.deep.equal(winner);
      for (const outcome of outcomes) if (outcome.outcome === 'held') expect(outcome.holder).to.deep.equal(winner);
    });

    it('is not to be had of a stream that never was, and asking makes none', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      for (const options of [TAKE_OVER, IF_FREE]) {
        for (const { log } of stores) {
          expect(await log.attachTail(sessionId, 'never', ONE, options)).to.deep.equal({ outcome: 'unknown' });
        }
      }
      expect(await stores[1].log.tailHolder(sessionId, 'never')).to.equal(undefined);
      expect((await stores[1].log.read(sessionId, 'never', START, 1)).known).to.equal(false);
    });

    it('is not to be had of a stream whose life has run out', async () => {
      const harness = await open({ streamTtlMs: 200 });
      const [a, b] = harness.stores;
      const { sessionId } = await openSession(a);
      await a.log.append(sessionId, 'call', [{ data: 'result', end: true }], opening(ONE));
      await inTime(harness, async () => !(await b.log.read(sessionId, 'call', START, 1)).known, 'end of the log');
      const attach = () => b.log.attachTail(sessionId, 'call', TWO, TAKE_OVER);
      await inTime(harness, async () => (await attach()).outcome === 'unknown', 'end of the stream');
      expect(await a.log.tailHolder(sessionId, 'call')).to.equal(undefined);
    });

    it('is to be had of a stream of a call, so that any node can send the rest of it', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      await stores[0].log.append(sessionId, 'call', [{ data: '' }], opening(ONE));
      const attached = await stores[1].log.attachTail(sessionId, 'call', TWO, TAKE_OVER);
      expect(attached).to.deep.equal({ outcome: 'attached', delivered: undefined, former: ONE });
      const outcome = await stores[0].log.append(sessionId, 'call', [{ data: 'result' }], { call: CALL });
      expect(outcome).to.deep.include({ outcome: 'appended', holder: TWO });
    });

    it('is to be had of a stream that belongs to no call', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      await stores[0].log.append(sessionId, 'other', [{ data: 'event' }]);
      expect((await stores[1].log.attachTail(sessionId, 'other', ONE, IF_FREE)).outcome).to.equal('attached');
      expect(await stores[0].log.tailHolder(sessionId, 'other')).to.deep.equal(ONE);
    });

    it('is not to be had of a session that is gone', async () => {
      const { stores } = await open();
      const outcome = await stores[0].log.attachTail(makeRecord().sessionId, MAIN_STREAM, ONE, TAKE_OVER);
      expect(outcome).to.deep.equal({ outcome: 'gone' });
    });
  });
}
