/** Where the embedded store is more exact than the contract asks: positions, gaps, hand-overs, faults of handlers. */
import { expect } from 'chai';
import { MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import { createMemoryState, createMemoryStore } from '../../src/memory/index.js';
import { IF_FREE, ONE, TAKE_OVER, TWO } from './events.js';
import { LONG_LIMITS, listen, openSession, timesOf } from './harness.js';
import { openMemory } from './memory-harness.js';

describe('memory: exactness', () => {
  it('does not bury a node that came back', async () => {
    const harness = await openMemory();
    const [{ nodes, calls }] = harness.stores;
    await nodes.claim('node', 'token');
    await calls.list('token', { sessionId: 's', callId: 'c' });
    await nodes.bury('token');
    expect(await calls.listed('token', 10)).to.have.length(1);
    await nodes.release('node', 'token');
    expect(await nodes.dead()).to.deep.equal(['token']);
    await harness.close();
  });

  it('is not turned back by a hand-over that comes after the new holder got further', async () => {
    const harness = await openMemory();
    const [{ log }] = harness.stores;
    const { sessionId } = await openSession(harness.stores[0]);
    await log.attachTail(sessionId, MAIN_STREAM, ONE, IF_FREE);
    await log.attachTail(sessionId, MAIN_STREAM, TWO, TAKE_OVER);
    await log.recordDelivered(sessionId, MAIN_STREAM, TWO, '9-0');
    await log.handOver(sessionId, MAIN_STREAM, ONE, '5-0');
    const next = await log.attachTail(sessionId, MAIN_STREAM, ONE, TAKE_OVER);
    expect(next).to.deep.include({ delivered: '9-0' });
    await harness.close();
  });

  it('trims exactly, and calls nothing a gap that was read to its last trimmed event', async () => {
    const harness = await openMemory({ streamMaxEvents: 10 });
    const [{ log }] = harness.stores;
    const { sessionId } = await openSession(harness.stores[0]);
    const outcome = await log.append(
      sessionId,
      MAIN_STREAM,
      timesOf(25).map((i) => ({ data: `${i}` })),
    );
    if (outcome.outcome !== 'appended') throw new Error(outcome.outcome);
    const at = (i: number) => outcome.entries[i]?.position ?? START;
    expect((await log.read(sessionId, MAIN_STREAM, START, 100)).entries).to.deep.equal(outcome.entries.slice(15));
    expect((await log.read(sessionId, MAIN_STREAM, at(14), 100)).complete).to.equal(true);
    expect((await log.read(sessionId, MAIN_STREAM, at(13), 100)).complete).to.equal(false);
    await harness.close();
  });

  it('gives growing positions when the clock stands still or steps back', async () => {
    let now = 0;
    const store = createMemoryStore(LONG_LIMITS, createMemoryState({ now: () => now }));
    const positions = [];
    for (const time of [0, 0, 9, 9, 3, 10]) {
      now = time;
      positions.push(await store.changes.append({ kind: 'tools' }));
    }
    expect(positions).to.deep.equal(['0-1', '0-2', '9-0', '9-1', '9-2', '10-0']);
    const { entries } = await store.changes.read('9-2', 10);
    expect(entries.map(({ position }) => position)).to.deep.equal(['10-0']);
    await store.close();
  });

  it('goes on delivering after a handler threw, and reports the fault', async () => {
    const harness = await openMemory();
    const fault = new Error('in a handler');
    const node = await listen(harness.stores[0], {
      onTold: () => {
        if (node.letters.length === 1) throw fault;
      },
    });
    for (const message of ['1', '2']) await harness.stores[1].broker.post(node.token, { sessionId: 's', message });
    await node.until(() => node.letters.length === 2, 'the second letter');
    expect(harness.faults).to.deep.equal([fault]);
    await harness.close();
  });

  it('keeps stores apart that share no state', async () => {
    const [one, two] = [createMemoryStore(LONG_LIMITS), createMemoryStore(LONG_LIMITS)];
    const { sessionId } = await openSession(one);
    expect(await two.sessions.touch(sessionId)).to.equal(undefined);
    await one.close();
    await two.close();
  });
});
