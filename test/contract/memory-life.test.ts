/** How the embedded store stays bounded: all that has ended goes, used or not. */
import { expect } from 'chai';
import { MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import { type Expiry, ExpiryQueue } from '../../src/memory/expiry-queue.js';
import { eventually } from '../support/eventually.js';
import { LONG_LIMITS, makeRecord, openSession, timesOf } from './harness.js';
import { openMemory } from './memory-harness.js';

describe('memory: what has ended', () => {
  it('forgets all that has ended, used or not', async () => {
    const harness = await openMemory({ sessionTtlMs: 1_000, streamTtlMs: 500 });
    const { state, stores } = harness;
    const [{ sessions, log, changes }] = stores;
    const records = await Promise.all(timesOf(300).map(() => openSession(stores[0])));
    for (const { sessionId } of records) {
      await log.append(sessionId, 'call', [{ data: 'result', end: true }]);
      await log.append(sessionId, MAIN_STREAM, [{ data: 'notice' }]);
    }
    for (const record of records.slice(0, 100)) await sessions.delete(record);
    await changes.append({ kind: 'tools' });
    expect(state.expiries.size, 'sessions, finished streams and the change log').to.equal(200 + 200 + 1);
    harness.advance?.(600);
    state.clean();
    expect(state.expiries.size, 'sessions alone').to.equal(200);
    expect(state.changes.length).to.equal(0);
    expect([...state.sessions.values()].every(({ streams }) => streams.size === 1)).to.equal(true);
    harness.advance?.(600);
    state.clean();
    expect(state.sessions.size).to.equal(0);
    expect(state.expiries.size).to.equal(0);
    expect((await sessions.sweep(1_000)).expired).to.have.length(200);
    await harness.close();
  });

  it('is cleaned by a timer while somebody uses it', async () => {
    const harness = await openMemory({ sessionTtlMs: 100 });
    await openSession(harness.stores[0]);
    harness.advance?.(200);
    await eventually(() => harness.state.sessions.size === 0, { what: 'a cleaned state' });
    await harness.close();
  });

  it('is not cleaned any more when nobody uses it', async () => {
    const [left, used] = [await openMemory({ sessionTtlMs: 100 }), await openMemory({ sessionTtlMs: 100 })];
    for (const harness of [left, used]) {
      await openSession(harness.stores[0]);
      harness.advance?.(200);
    }
    await left.close();
    // The timer of this one began later, so that the other one would have come before.
    await eventually(() => used.state.sessions.size === 0, { what: 'a cleaned state' });
    expect(left.state.sessions.size).to.equal(1);
    await used.close();
  });

  it('serves nothing past its end, though it was not cleaned away yet', async () => {
    const harness = await openMemory({ sessionTtlMs: 1_000, streamTtlMs: 500 });
    const [{ sessions, log, calls }] = harness.stores;
    const { sessionId } = await openSession(harness.stores[0]);
    await log.append(sessionId, 'call', [{ data: 'result', end: true }]);
    await log.append(sessionId, MAIN_STREAM, [{ data: 'notice' }]);
    await calls.list('node', { sessionId, callId: 'call' });
    harness.advance?.(500);
    expect((await log.read(sessionId, 'call', START, 1)).known).to.equal(false);
    expect((await log.read(sessionId, MAIN_STREAM, START, 1)).known).to.equal(true);
    harness.advance?.(500);
    expect((await log.read(sessionId, MAIN_STREAM, START, 1)).known).to.equal(false);
    expect(await sessions.update(sessionId, { initialized: true })).to.equal(false);
    expect(await sessions.touch(sessionId)).to.equal(undefined);
    await harness.close();
  });

  it('keeps the list of a node for ten leases after it was renewed last', async () => {
    const harness = await openMemory();
    const [{ calls }] = harness.stores;
    const tenLeases = LONG_LIMITS.nodeLeaseMs * 10;
    await calls.list('node', { sessionId: 's', callId: 'c' });
    harness.advance?.(tenLeases - 1_000);
    await calls.renew('node');
    harness.advance?.(tenLeases - 1_000);
    expect(await calls.listed('node', 10)).to.have.length(1);
    harness.advance?.(1_000);
    expect(await calls.listed('node', 10)).to.deep.equal([]);
    await harness.close();
  });

  it('ends everything in the order of the ends, whatever was moved and removed in between', () => {
    const queue = new ExpiryQueue();
    const members = new Map<number, { expiry: Expiry; at: number }>();
    const ended: number[] = [];
    // A fixed sequence that looks random: the same run every time.
    let seed = 7;
    const pick = (below: number) => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed % below;
    };
    for (const step of timesOf(20_000)) {
      const [id] = [...members.keys()].slice(pick(members.size + 1));
      const member = members.get(id ?? -1);
      const at = step + pick(2_000);
      if (!member || id === undefined || step % 4 < 2) {
        members.set(step, { at, expiry: queue.add(at, () => ended.push(step)) });
      } else if (step % 4 === 2) {
        queue.move(member.expiry, at);
        members.set(id, { expiry: member.expiry, at });
      } else {
        queue.remove(member.expiry);
        members.delete(id);
        // What is over is over: these do nothing.
        queue.remove(member.expiry);
        queue.move(member.expiry, 0);
      }
      const due = [...members].filter(([, { at }]) => at <= step).map(([id]) => id);
      queue.endDue(step, Number.POSITIVE_INFINITY);
      expect(ended.splice(0)).to.have.members(due);
      for (const id of due) members.delete(id);
      expect(queue.size).to.equal(members.size);
    }
  }).timeout(20_000);

  it('makes room for new sessions itself when those before ran out', async () => {
    const harness = await openMemory({ sessionTtlMs: 1_000 });
    const { sessions } = harness.stores[0];
    const create = () => sessions.create(makeRecord(), { maxSessions: 2 });
    expect([await create(), await create(), await create()]).to.deep.equal(['created', 'created', 'full']);
    harness.advance?.(1_000);
    expect([await create(), await create(), await create()]).to.deep.equal(['created', 'created', 'full']);
    await harness.close();
  });
});
