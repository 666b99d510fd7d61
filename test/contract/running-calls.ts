/** Contract of `touch`: it tells how many journaled calls of a session run, on any node. */
import { expect } from 'chai';
import { MAIN_STREAM } from '../../src/core/ports/event-log.js';
import { describeContract, listen, type OpenHarness, openSession } from './harness.js';

export function runningCallsContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: running calls`, openHarness, (open) => {
    it('are counted from their first append, or their entry, to their last append', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const node = await listen(a);
      const { sessionId } = await openSession(a);
      const running = async () => (await b.sessions.touch(sessionId))?.runningCalls ?? 0;
      const holder = { nodeToken: node.token, connectionId: 'post' };
      const open1 = { callId: 'streamed', owner: node.token, open: { holder, journal: '{}' } };
      await a.log.append(sessionId, 'streamed', [{ data: '' }], { call: open1, batch: '1' });
      expect(await running()).to.equal(1);
      await b.calls.enter({ sessionId, callId: 'entered' }, node.token, '{}');
      expect(await running()).to.equal(2);
      const goesOn = { callId: 'streamed', owner: node.token };
      await a.log.append(sessionId, 'streamed', [{ data: 'progress' }], { call: goesOn, batch: '2' });
      await a.log.renew(sessionId, ['streamed', 'entered', 'of nobody']);
      expect(await running(), 'neither by events nor by renewal').to.equal(2);
      await a.log.append(sessionId, 'streamed', [{ data: 'result', end: true }], {
        call: { ...goesOn, finish: true },
        batch: '3',
      });
      expect(await running()).to.equal(1);
      await a.log.append(sessionId, MAIN_STREAM, [{ data: 'answer' }], {
        call: { callId: 'entered', owner: node.token, finish: true },
        batch: '4',
      });
      expect(await running()).to.equal(0);
    });

    it('are not counted any more when they were dropped by their owner, and by nobody else', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      const call = { sessionId, callId: 'cancelled' };
      await a.calls.enter(call, 'owner', '{}');
      await b.calls.drop(call, 'somebody else');
      expect((await a.sessions.touch(sessionId))?.runningCalls).to.equal(1);
      await a.calls.drop(call, 'owner');
      await a.calls.drop(call, 'owner');
      expect(await b.sessions.touch(sessionId)).to.not.have.property('runningCalls');
      expect((await b.calls.claim(call, 'owner', 'survivor', '{')).outcome).to.equal('over');
    });

    it('are still counted when another node has claimed them, and not after that one finished them', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const node = await listen(a);
      const { sessionId } = await openSession(a);
      await a.calls.enter({ sessionId, callId: 'call' }, node.token, '{"version":1}');
      await b.calls.claim({ sessionId, callId: 'call' }, node.token, 'survivor', '{');
      expect((await a.sessions.touch(sessionId))?.runningCalls).to.equal(1);
      const call = { callId: 'call', owner: 'survivor', finish: true };
      await b.log.append(sessionId, MAIN_STREAM, [{ data: 'answer' }], { call, batch: '1' });
      expect(await a.sessions.touch(sessionId)).to.not.have.property('runningCalls');
    });
  });
}
