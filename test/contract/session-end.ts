/**
 * Contract: what has ended stays ended. No write brings a session back, whichever port it comes through, and nothing of a
 * session is found by one that gets its id later.
 */
import { expect } from 'chai';
import { MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import type { SessionRecord } from '../../src/core/ports/session-store.js';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, inTime, isGone, type OpenHarness, openSession } from './harness.js';

const HOLDER = { nodeToken: 'token', connectionId: 'connection' };
const OWNER = 'owner';
const STREAMS = [MAIN_STREAM, 'call'];

/** Fills everything that a session can have. */
async function fill({ sessions, log, calls }: Store, { sessionId }: SessionRecord): Promise<void> {
  await sessions.subscribe(sessionId, 'test://subscribed', '1-0');
  await sessions.setState(sessionId, 'key', '1');
  await calls.enter({ sessionId, callId: 'entered' }, OWNER, '{}');
  for (const streamId of STREAMS) {
    const open = { holder: HOLDER, journal: '{}' };
    await log.append(sessionId, streamId, [{ data: 'before' }], { call: { callId: streamId, owner: OWNER, open } });
    await log.recordDelivered(sessionId, streamId, HOLDER, 'delivered');
  }
}

/** Writes through every method there is; each must say that the session is gone. */
async function tryEveryWrite({ sessions, log, calls }: Store, { sessionId }: SessionRecord): Promise<void> {
  expect(await sessions.update(sessionId, { initialized: true, logLevel: 'debug' }), 'update').to.equal(false);
  expect(await sessions.touch(sessionId), 'touch').to.equal(undefined);
  expect(await sessions.renew([sessionId]), 'renew').to.deep.equal([sessionId]);
  expect(await sessions.subscribe(sessionId, 'test://late', '1-0'), 'subscribe').to.equal(false);
  expect(await sessions.unsubscribe(sessionId, 'test://subscribed'), 'unsubscribe').to.equal(false);
  expect(await sessions.setState(sessionId, 'key', '2'), 'setState').to.equal(false);
  expect(await sessions.incrementState(sessionId, 'key', 1), 'incrementState').to.equal(undefined);
  expect(await sessions.deleteState(sessionId, 'key'), 'deleteState').to.equal(false);
  expect(await calls.enter({ sessionId, callId: 'late' }, OWNER, '{}'), 'enter').to.equal(false);
  for (const callId of [...STREAMS, 'entered', 'late']) {
    expect(await calls.claim({ sessionId, callId }, OWNER, 'other', ''), 'claim').to.deep.equal({ outcome: 'over' });
  }
  for (const streamId of STREAMS) {
    const events = [{ data: 'late' }];
    const call = { callId: streamId, owner: OWNER, open: { holder: HOLDER, journal: '{}' } };
    const opened = await log.append(sessionId, streamId, events, { call });
    expect(opened.outcome, 'append that opens').to.equal('gone');
    expect((await log.append(sessionId, streamId, events)).outcome, 'append').to.equal('gone');
    const attached = await log.attachTail(sessionId, streamId, HOLDER, { takeOver: true });
    expect(attached.outcome, 'attachTail').to.equal('gone');
    await log.recordDelivered(sessionId, streamId, HOLDER, 'late');
    await log.handOver(sessionId, streamId, HOLDER, 'late');
    await log.detachTail(sessionId, streamId, HOLDER, 'late');
  }
}

async function expectNothing({ sessions, log, calls }: Store, { sessionId }: SessionRecord): Promise<void> {
  expect(await sessions.subscriptions(sessionId)).to.deep.equal(new Map());
  expect(await sessions.getState(sessionId, 'key')).to.equal(undefined);
  expect(await calls.claim({ sessionId, callId: 'entered' }, OWNER, 'other', '')).to.deep.equal({ outcome: 'over' });
  for (const streamId of STREAMS) {
    expect(await log.read(sessionId, streamId, START, 10)).to.deep.include({ known: false, entries: [] });
    expect(await log.tailHolder(sessionId, streamId)).to.equal(undefined);
  }
}

export function sessionEndContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: a session that has ended`, openHarness, (open) => {
    it('is not brought back by any write after it was deleted', async () => {
      const { stores } = await open();
      const record = await openSession(stores[0]);
      await fill(stores[0], record);
      expect(await stores[1].sessions.delete(record)).to.equal(true);
      for (const store of stores) await tryEveryWrite(store, record);
      for (const store of stores) await expectNothing(store, record);
      expect(await stores[0].sessions.touch(record.sessionId)).to.equal(undefined);
      expect(await stores[0].sessions.count()).to.equal(0);
    });

    it('is not brought back by any write after it ran out', async () => {
      const harness = await open({ sessionTtlMs: 300, streamTtlMs: 300 });
      const { stores } = harness;
      const record = await openSession(stores[0]);
      await fill(stores[0], record);
      await inTime(harness, () => isGone(stores[1], record), 'end of the session');
      for (const store of stores) await tryEveryWrite(store, record);
      await inTime(harness, async () => !(await hasLog(stores[0], record)), 'end of its logs');
      await expectNothing(stores[1], record);
    });

    it('leaves nothing to a session that gets its id', async () => {
      const { stores } = await open();
      const record = await openSession(stores[0]);
      await fill(stores[0], record);
      await stores[0].sessions.delete(record);
      await tryEveryWrite(stores[1], record);
      await stores[1].sessions.create(record, { maxSessions: 0 });
      expect(await stores[0].sessions.touch(record.sessionId)).to.deep.equal(record);
      await expectNothing(stores[0], record);
      const attached = await stores[0].log.attachTail(record.sessionId, MAIN_STREAM, HOLDER, { takeOver: false });
      expect(attached).to.deep.equal({ outcome: 'attached', delivered: undefined, former: undefined });
    });

    it('is gone once it was deleted amid writes from both nodes', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const record = await openSession(a);
      const { sessionId } = record;
      const writes = stores.flatMap(({ sessions, log, calls }) => [
        sessions.update(sessionId, { logLevel: 'debug' }),
        sessions.subscribe(sessionId, 'test://amid', '1-0'),
        sessions.setState(sessionId, 'key', '1'),
        sessions.incrementState(sessionId, 'counter', 1),
        log.append(sessionId, MAIN_STREAM, [{ data: 'amid' }]),
        log.attachTail(sessionId, MAIN_STREAM, HOLDER, { takeOver: true }),
        calls.enter({ sessionId, callId: 'entered' }, OWNER, '{}'),
        log.append(sessionId, 'call', [{ data: 'amid' }], {
          call: { callId: 'call', owner: OWNER, open: { holder: HOLDER, journal: '{}' } },
        }),
      ]);
      const [deleted] = await Promise.all([b.sessions.delete(record), ...writes]);
      expect(deleted).to.equal(true);
      expect(await a.sessions.touch(sessionId)).to.equal(undefined);
      await expectNothing(b, record);
    });
  });
}

async function hasLog({ log }: Store, { sessionId }: SessionRecord): Promise<boolean> {
  const logs = await Promise.all(STREAMS.map((streamId) => log.read(sessionId, streamId, START, 1)));
  const holders = await Promise.all(STREAMS.map((streamId) => log.tailHolder(sessionId, streamId)));
  return logs.some(({ known }) => known) || holders.some((holder) => holder !== undefined);
}
