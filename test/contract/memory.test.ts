/** The contract over the embedded store, and what only it has: a clock of its own, and memory that must stay bounded. */
import { expect } from 'chai';
import { MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import type { StoreLimits } from '../../src/core/ports/store.js';
import { createMemoryState, createMemoryStore } from '../../src/memory/index.js';
import { eventually } from '../support/eventually.js';
import { type Harness, LONG_LIMITS, listen, makeRecord, openSession, timesOf } from './harness.js';
import { storeContract } from './store.js';

async function openMemory(
  first: Partial<StoreLimits> = {},
  second = first,
): Promise<Harness & { state: ReturnType<typeof createMemoryState>; faults: unknown[] }> {
  let moved = 0;
  const faults: unknown[] = [];
  // Starts at the real time, since records carry it.
  const state = createMemoryState({ now: () => Date.now() + moved, onHandlerError: (error) => faults.push(error) });
  const stores = [
    createMemoryStore({ ...LONG_LIMITS, ...first }, state),
    createMemoryStore({ ...LONG_LIMITS, ...second }, state),
  ] as const;
  return {
    state,
    stores,
    faults,
    advance: (ms) => {
      moved += ms;
    },
    async close() {
      for (const store of stores) await store.close();
    },
  };
}

storeContract('memory', openMemory);

describe('memory: what it keeps', () => {
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
    expect(await sessions.sweep(1_000)).to.deep.equal({ expired: 200, maxAge: 0 });
    await harness.close();
  });

  it('is cleaned by a timer while somebody uses it', async () => {
    const harness = await openMemory({ sessionTtlMs: 100 });
    await openSession(harness.stores[0]);
    harness.advance?.(200);
    await eventually(() => harness.state.sessions.size === 0, { what: 'a cleaned state' });
    await harness.close();
  });

  it('ends sessions in the order of their ends, whatever was renewed and deleted in between', async () => {
    const harness = await openMemory({ sessionTtlMs: 1_000 });
    const { sessions } = harness.stores[0];
    const alive = new Map<string, number>();
    let now = 0;
    // A fixed sequence that looks random: the same run every time.
    let seed = 7;
    const pick = (below: number) => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed % below;
    };
    for (const step of timesOf(5_000)) {
      const [sessionId] = [...alive.keys()].slice(pick(alive.size + 1));
      if (step % 3 === 0 || sessionId === undefined) {
        const record = makeRecord({ sessionId: `session ${step}` });
        await sessions.create(record, { maxSessions: 0 });
        alive.set(record.sessionId, now + 1_000);
      } else if (step % 3 === 1) {
        await sessions.touch(sessionId);
        alive.set(sessionId, now + 1_000);
      } else if (pick(4) === 0) {
        await sessions.delete({ sessionId, createdAt: 0 });
        alive.delete(sessionId);
      }
      const moved = pick(20);
      harness.advance?.(moved);
      now += moved;
      for (const [id, end] of alive) if (end <= now) alive.delete(id);
      // The real clock runs, too; a session this close to its end may be gone already.
      const certain = [...alive.values()].filter((end) => end > now + 900).length;
      expect(await sessions.count()).to.be.within(certain, alive.size);
    }
    await harness.close();
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
    for (const time of [0, 0, 5, 5, 3, 6]) {
      now = time;
      positions.push(await store.changes.append({ kind: 'tools' }));
    }
    expect(positions).to.deep.equal(['0-1', '0-2', '5-0', '5-1', '5-2', '6-0']);
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
