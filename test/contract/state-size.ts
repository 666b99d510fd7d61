/** Contract of the session's own state: how much it may hold, counted in bytes and in keys. */
import { expect } from 'chai';
import { StateTooLarge } from '../../src/core/limits/state-size.js';
import { describeContract, makeRecord, type OpenHarness, openSession, timesOf } from './harness.js';

/** Keys and values together, in UTF-8. */
const BYTES = 40;

const refusalOf = (written: Promise<unknown>): Promise<string> =>
  written.then(
    () => 'written',
    (error: unknown) => (error instanceof StateTooLarge ? error.of : String(error)),
  );

export function stateSizeContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: the size of a session's state`, openHarness, (open) => {
    it('is bounded in bytes to the last one, over all nodes', async () => {
      const { stores } = await open({ stateMaxBytes: BYTES });
      const [a, b] = stores;
      const { sessionId } = makeRecord();
      await a.sessions.create(
        { ...makeRecord(), sessionId },
        { maxSessions: 0, state: new Map([['first', '"12345"']]) },
      );
      // 12 bytes so far. Two bytes for each of these letters.
      expect(await a.sessions.setState(sessionId, 'ключ', `"${'x'.repeat(18)}"`)).to.equal(true);
      expect(await refusalOf(b.sessions.setState(sessionId, 'k', '')), 'one byte more').to.equal('bytes');
      expect(await refusalOf(b.sessions.incrementState(sessionId, 'k', 1))).to.equal('bytes');
      expect(await refusalOf(b.sessions.setState(sessionId, 'first', '"123456"')), 'a longer value').to.equal('bytes');
      expect(await a.sessions.getState(sessionId, 'first'), 'as it was').to.equal('"12345"');
      expect(await a.sessions.getState(sessionId, 'k')).to.equal(undefined);
    });

    it('has room again for what was removed or made shorter', async () => {
      const { stores } = await open({ stateMaxBytes: BYTES });
      const [a, b] = stores;
      const { sessionId } = makeRecord();
      await a.sessions.create({ ...makeRecord(), sessionId }, { maxSessions: 0 });
      for (const round of timesOf(5)) {
        expect(await a.sessions.setState(sessionId, `key${round}`, 'x'.repeat(36)), `round ${round}`).to.equal(true);
        expect(await refusalOf(b.sessions.setState(sessionId, 'k', '1'))).to.equal('bytes');
        await b.sessions.setState(sessionId, `key${round}`, 'x'.repeat(34));
        expect(await a.sessions.incrementState(sessionId, 'k', 7)).to.equal(7);
        expect(await refusalOf(a.sessions.incrementState(sessionId, 'k', 3)), 'from one digit to two').to.equal(
          'bytes',
        );
        expect(await b.sessions.deleteState(sessionId, `key${round}`)).to.equal(true);
        expect(await b.sessions.deleteState(sessionId, `key${round}`)).to.equal(false);
        expect(await a.sessions.deleteState(sessionId, 'k')).to.equal(true);
      }
    });

    it('is bounded in keys; those that are there can be changed', async () => {
      const { stores } = await open({ stateMaxKeys: 3 });
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      await a.sessions.setState(sessionId, 'one', '1');
      await b.sessions.incrementState(sessionId, 'two', 2);
      expect(await refusalOf(a.sessions.setState(sessionId, 'three', '3'))).to.equal('keys');
      expect(await refusalOf(b.sessions.incrementState(sessionId, 'three', 3))).to.equal('keys');
      expect(await a.sessions.setState(sessionId, 'one', '"changed"')).to.equal(true);
      expect(await b.sessions.incrementState(sessionId, 'two', 2)).to.equal(4);
      await b.sessions.deleteState(sessionId, 'one');
      expect(await a.sessions.setState(sessionId, 'three', '3')).to.equal(true);
    });

    it('can be made smaller where it is larger than it may be by now', async () => {
      const { stores } = await open({}, { stateMaxBytes: BYTES });
      const [before, after] = stores;
      const { sessionId } = await openSession(before);
      await before.sessions.setState(sessionId, 'large', 'x'.repeat(200));
      expect(await after.sessions.setState(sessionId, 'large', 'x'.repeat(100))).to.equal(true);
      expect(await refusalOf(after.sessions.setState(sessionId, 'large', 'x'.repeat(101)))).to.equal('bytes');
    });
  });
}
