/** Contract of `EventLog`: what the holder of a stream is told, and what the one before it may still say. */
import { expect } from 'chai';
import { MAIN_STREAM, START, type TailHolder } from '../../src/core/ports/event-log.js';
import { IF_FREE, ONE, opening, TAKE_OVER, TWO } from './events.js';
import { describeContract, type ListeningNode, listen, type OpenHarness, openSession, settle } from './harness.js';

const holderOn = (node: Pick<ListeningNode, 'token'>, connectionId: string): TailHolder => ({
  nodeToken: node.token,
  connectionId,
});

export function eventWakeUpContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: waking a tail`, openHarness, (open) => {
    it('brings small events to the node that holds it, with the position they follow', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      await listen(a);
      const node = await listen(b);
      const { sessionId } = await openSession(a);
      const holder = holderOn(node, 'get');
      await b.log.attachTail(sessionId, MAIN_STREAM, holder, IF_FREE);
      await a.log.append(sessionId, MAIN_STREAM, [{ data: '' }]);
      const outcome = await a.log.append(sessionId, MAIN_STREAM, [{ data: '{"ü":1}' }, { data: 'end', end: true }]);
      if (outcome.outcome !== 'appended') throw new Error(outcome.outcome);
      expect(outcome.holder).to.deep.equal(holder);
      await node.until(() => node.wakeUps.length >= 2, 'two wake-ups');
      const { previous, entries } = outcome;
      expect(node.wakeUps[1]).to.deep.equal({
        sessionId,
        streamId: MAIN_STREAM,
        holder,
        events: { previous, entries },
      });
    });

    it('works for a large event, whose content the log has', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      await listen(a);
      const node = await listen(b);
      const { sessionId } = await openSession(a);
      const holder = holderOn(node, 'get');
      const outcome = await a.log.append(sessionId, 'call', [{ data: 'x'.repeat(1_048_576) }], opening(holder));
      if (outcome.outcome !== 'appended') throw new Error(outcome.outcome);
      await node.until(() => node.wakeUps.length > 0, 'a wake-up');
      const { events, ...rest } = node.wakeUps[0] ?? {};
      expect(rest).to.deep.equal({ sessionId, streamId: 'call', holder });
      if (events) expect(events).to.deep.equal({ previous: START, entries: outcome.entries });
      expect((await b.log.read(sessionId, 'call', START, 10)).entries).to.deep.equal(outcome.entries);
    });

    it('tells the former holder who took over, on another node and on the same one', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const former = await listen(a);
      const newer = await listen(b);
      const { sessionId } = await openSession(a);
      await a.log.attachTail(sessionId, MAIN_STREAM, holderOn(former, 'first'), IF_FREE);
      await a.log.attachTail(sessionId, MAIN_STREAM, holderOn(former, 'second'), TAKE_OVER);
      await b.log.attachTail(sessionId, MAIN_STREAM, holderOn(newer, 'third'), TAKE_OVER);
      await former.until(() => former.wakeUps.length >= 2, 'two take-overs');
      expect(former.wakeUps.map(({ holder }) => holder)).to.deep.equal([
        holderOn(former, 'second'),
        holderOn(newer, 'third'),
      ]);
      await settle(b, newer);
      expect(newer.wakeUps).to.deep.equal([]);
    });

    it('goes to the new holder from a take-over on', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const former = await listen(a);
      const newer = await listen(b);
      const { sessionId } = await openSession(a);
      await a.log.attachTail(sessionId, MAIN_STREAM, holderOn(former, 'old'), IF_FREE);
      await b.log.attachTail(sessionId, MAIN_STREAM, holderOn(newer, 'new'), TAKE_OVER);
      await a.log.append(sessionId, MAIN_STREAM, [{ data: 'after' }]);
      await newer.until(() => newer.wakeUps.length > 0, 'the event');
      expect(newer.wakeUps[0]?.events?.entries.map(({ data }) => data)).to.deep.equal(['after']);
      await settle(a, former);
      expect(former.wakeUps.filter(({ events }) => events)).to.deep.equal([]);
    });

    it('tells every node that a stream was given up, and not when nothing was', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const nodes = [await listen(a), await listen(b)];
      const { sessionId } = await openSession(a);
      await a.log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      await a.log.detachTail(sessionId, MAIN_STREAM, TWO, '1-0');
      await a.log.detachTail(sessionId, MAIN_STREAM, ONE, '2-0');
      for (const node of nodes) {
        await node.until(() => node.signals.length > 0, 'the free tail');
        expect(node.signals).to.deep.equal([{ kind: 'tail-free', sessionId, streamId: MAIN_STREAM }]);
      }
    });
  });

  describeContract(`${name}: handing a stream over`, openHarness, (open) => {
    it('tells the new holder how far the former one got, and the next one as well', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      await listen(a);
      const node = await listen(b);
      const { sessionId } = await openSession(a);
      const newer = holderOn(node, 'newer');
      await a.log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      await a.log.recordDelivered(sessionId, MAIN_STREAM, ONE, '1-0');
      const attached = await b.log.attachTail(sessionId, MAIN_STREAM, newer, TAKE_OVER);
      expect(attached).to.deep.equal({ outcome: 'attached', delivered: '1-0', former: ONE });
      await a.log.handOver(sessionId, MAIN_STREAM, ONE, '5-0');
      await node.until(() => node.wakeUps.length > 0, 'the hand-over');
      const handedOver = { sessionId, streamId: MAIN_STREAM, holder: newer, handedOver: '5-0' };
      expect(node.wakeUps).to.deep.equal([handedOver]);
      const next = await a.log.attachTail(sessionId, MAIN_STREAM, TWO, TAKE_OVER);
      expect(next).to.deep.equal({ outcome: 'attached', delivered: '5-0', former: newer });
    });

    it('goes from the first one that was taken over from to the newest, past who came between and has sent nothing', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      await listen(a);
      const node = await listen(b);
      const { sessionId } = await openSession(a);
      const newest = holderOn(node, 'newest');
      await a.log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      await a.log.attachTail(sessionId, MAIN_STREAM, TWO, TAKE_OVER);
      await b.log.attachTail(sessionId, MAIN_STREAM, newest, TAKE_OVER);
      await a.log.handOver(sessionId, MAIN_STREAM, ONE, '1-0');
      await a.log.handOver(sessionId, MAIN_STREAM, newest, '3-0');
      await a.log.handOver(sessionId, MAIN_STREAM, TWO, '2-0');
      await node.until(() => node.wakeUps.length > 0, 'the hand-over');
      await settle(a, node);
      expect(node.wakeUps.map(({ handedOver }) => handedOver)).to.deep.equal(['1-0']);
    });

    it('is ignored when the new holder has given the stream up, also by the one that took it then', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const node = await listen(b);
      const { sessionId } = await openSession(a);
      const next = holderOn(node, 'next');
      await a.log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
      await a.log.attachTail(sessionId, MAIN_STREAM, TWO, TAKE_OVER);
      await a.log.detachTail(sessionId, MAIN_STREAM, TWO, '9-0');
      await a.log.handOver(sessionId, MAIN_STREAM, ONE, '5-0');
      const attached = await b.log.attachTail(sessionId, MAIN_STREAM, next, IF_FREE);
      expect(attached).to.deep.equal({ outcome: 'attached', delivered: '9-0', former: undefined });
      await a.log.handOver(sessionId, MAIN_STREAM, ONE, '5-0');
      await settle(b, node);
      expect(node.wakeUps).to.deep.equal([]);
      const last = await a.log.attachTail(sessionId, MAIN_STREAM, ONE, TAKE_OVER);
      expect(last).to.deep.equal({ outcome: 'attached', delivered: '9-0', former: next });
    });
  });
}
