/** Contract of `Store` itself, and all suites of the contract in one call. */
import { expect } from 'chai';
import { MAIN_STREAM } from '../../src/core/ports/event-log.js';
import { StoreUnavailable } from '../../src/core/ports/store.js';
import { brokerContract } from './broker.js';
import { callJournalContract } from './call-journal.js';
import { callStreamContract } from './call-stream.js';
import { changeLogContract } from './change-log.js';
import { eventLogContract } from './event-log.js';
import { eventReadingContract } from './event-reading.js';
import { eventTailContract } from './event-tail.js';
import { eventWakeUpContract } from './event-wake-up.js';
import { describeContract, listen, type OpenHarness, openSession, settle } from './harness.js';
import { nodeRegistryContract } from './node-registry.js';
import { ratesContract } from './rates.js';
import { runningCallsContract } from './running-calls.js';
import { secretStoreContract } from './secret-store.js';
import { sessionCapContract } from './session-cap.js';
import { sessionEndContract } from './session-end.js';
import { sessionPlacesContract } from './session-places.js';
import { sessionStateContract } from './session-state.js';
import { sessionStoreContract } from './session-store.js';
import { sessionSweepContract } from './session-sweep.js';
import { slotsContract } from './slots.js';
import { stateSizeContract } from './state-size.js';

const nameOfRejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no rejection',
    (error: unknown) => (error instanceof StoreUnavailable ? error.name : String(error)),
  );

export function storeContract(name: string, openHarness: OpenHarness): void {
  sessionStoreContract(name, openHarness);
  sessionCapContract(name, openHarness);
  sessionEndContract(name, openHarness);
  sessionSweepContract(name, openHarness);
  sessionStateContract(name, openHarness);
  eventLogContract(name, openHarness);
  eventReadingContract(name, openHarness);
  eventTailContract(name, openHarness);
  eventWakeUpContract(name, openHarness);
  callJournalContract(name, openHarness);
  callStreamContract(name, openHarness);
  changeLogContract(name, openHarness);
  brokerContract(name, openHarness);
  nodeRegistryContract(name, openHarness);
  secretStoreContract(name, openHarness);
  slotsContract(name, openHarness);
  ratesContract(name, openHarness);
  sessionPlacesContract(name, openHarness);
  stateSizeContract(name, openHarness);
  runningCallsContract(name, openHarness);

  describeContract(`${name}: the store`, openHarness, (open) => {
    it('answers a ping', async () => {
      const { stores } = await open();
      for (const store of stores) await store.ping();
    });

    it('serves nothing after it was closed, and says that it is unavailable, not that nothing was found', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const record = await openSession(a);
      const closed = await listen(a);
      const running = await listen(b);
      await a.close();
      await a.close();
      for (const [call, outcome] of Object.entries({
        ping: a.ping(),
        touch: a.sessions.touch(record.sessionId),
        delete: a.sessions.delete(record),
        append: a.log.append(record.sessionId, MAIN_STREAM, [{ data: 'late' }]),
        changes: a.changes.latest(),
        signal: a.broker.signal({ kind: 'ended', sessionId: record.sessionId }),
        post: a.broker.post('token', { sessionId: record.sessionId, message: '{}' }),
        list: a.nodes.list(),
        take: a.rates.take('counter', 1, 10, 1000),
      })) {
        expect(await nameOfRejection(outcome), call).to.equal('StoreUnavailable');
      }
      await settle(b, running);
      expect(closed.signals).to.deep.equal([]);
      expect(await b.sessions.touch(record.sessionId), 'through the other node').to.deep.equal(record);
    });
  });
}
