/** Contract of `SessionStore`: subscriptions and the session's own state. */
import { expect } from 'chai';
import { MAX_SUBSCRIPTIONS, TooManySubscriptions } from '../../src/core/ports/session-store.js';
import type { Store } from '../../src/core/ports/store.js';
import { describeContract, makeRecord, type OpenHarness, openSession, timesOf } from './harness.js';

/** Keys that are special to JavaScript objects, to Redis, or to naming schemes that join with colons. */
const AWKWARD_KEYS = ['', '__proto__', 'constructor', 'a:b', '{tag}', 'with space\nand line', 'ключ', 'sub:x'];

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const SINCE = '1700000000000-3';

export function sessionStateContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: subscriptions`, openHarness, (open) => {
    it('are seen by every node, once however often they were made', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      expect(await a.sessions.subscribe(sessionId, 'test://one', SINCE)).to.equal(true);
      expect(await b.sessions.subscribe(sessionId, 'test://one', SINCE)).to.equal(true);
      expect(await b.sessions.subscribe(sessionId, 'test://two?q=ü', SINCE)).to.equal(true);
      for (const { sessions } of stores) {
        expect([...(await sessions.subscriptions(sessionId)).keys()]).to.have.members(['test://one', 'test://two?q=ü']);
      }
    });

    it('say since when they count: by the first word, until they end', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      await a.sessions.subscribe(sessionId, 'test://one', '5-0');
      await b.sessions.subscribe(sessionId, 'test://one', '7-0');
      expect(await b.sessions.subscriptions(sessionId)).to.deep.equal(new Map([['test://one', '5-0']]));
      await b.sessions.unsubscribe(sessionId, 'test://one');
      await b.sessions.subscribe(sessionId, 'test://one', '9-0');
      expect(await a.sessions.subscriptions(sessionId)).to.deep.equal(new Map([['test://one', '9-0']]));
    });

    it('end one by one, also those that were never made', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      await a.sessions.subscribe(sessionId, 'test://one', SINCE);
      await a.sessions.subscribe(sessionId, 'test://two', SINCE);
      expect(await b.sessions.unsubscribe(sessionId, 'test://one')).to.equal(true);
      expect(await b.sessions.unsubscribe(sessionId, 'test://one')).to.equal(true);
      expect(await b.sessions.unsubscribe(sessionId, 'test://never')).to.equal(true);
      expect(await a.sessions.subscriptions(sessionId)).to.deep.equal(new Map([['test://two', SINCE]]));
    });

    it('are bounded in number, over all nodes at once', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      const subscribe = (i: number) =>
        (stores[i % stores.length] as Store).sessions
          .subscribe(sessionId, `test://${i}`, SINCE)
          .catch((error: unknown) => error);
      const outcomes = await Promise.all(timesOf(MAX_SUBSCRIPTIONS + 20).map(subscribe));
      expect(outcomes.filter((outcome) => outcome === true)).to.have.length(MAX_SUBSCRIPTIONS);
      expect(outcomes.filter((outcome) => outcome instanceof TooManySubscriptions)).to.have.length(20);
      const [held = ''] = (await stores[0].sessions.subscriptions(sessionId)).keys();
      expect(await stores[1].sessions.subscribe(sessionId, held, SINCE), 'one that is there').to.equal(true);
      await stores[1].sessions.unsubscribe(sessionId, held);
      expect(await stores[0].sessions.subscribe(sessionId, 'test://in its place', SINCE)).to.equal(true);
    });

    it('do not show in the record or in another session', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const [record, other] = [await openSession(a), await openSession(a)];
      await a.sessions.subscribe(record.sessionId, 'test://one', SINCE);
      expect(await b.sessions.touch(record.sessionId)).to.deep.equal(record);
      expect(await b.sessions.subscriptions(other.sessionId)).to.deep.equal(new Map());
    });
  });

  describeContract(`${name}: session state`, openHarness, (open) => {
    it('is read on each node as it was written, whatever its key', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      for (const key of AWKWARD_KEYS) {
        const json = JSON.stringify({ key });
        expect(await a.sessions.setState(sessionId, key, json)).to.equal(true);
        expect(await b.sessions.getState(sessionId, key), key).to.equal(json);
      }
      expect(await b.sessions.subscriptions(sessionId)).to.deep.equal(new Map());
    });

    it('begins with any write, in a session that was opened without', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const [set, counted] = [makeRecord(), makeRecord()];
      for (const record of [set, counted]) await a.sessions.create(record, { maxSessions: 0 });
      await a.sessions.setState(set.sessionId, 'key', '"first"');
      await a.sessions.incrementState(counted.sessionId, 'key', 2);
      expect(await b.sessions.getState(set.sessionId, 'key')).to.equal('"first"');
      expect(await b.sessions.getState(counted.sessionId, 'key')).to.equal('2');
    });

    it('has only what was written', async () => {
      const { stores } = await open();
      const [one, two] = [await openSession(stores[0]), await openSession(stores[0])];
      await stores[0].sessions.setState(one.sessionId, 'key', '1');
      expect(await stores[1].sessions.getState(two.sessionId, 'key')).to.equal(undefined);
      for (const key of [...AWKWARD_KEYS, 'sessionId', 'createdAt']) {
        expect(await stores[1].sessions.getState(one.sessionId, key), key).to.equal(undefined);
      }
    });

    it('is overwritten and deleted, and says whether a key was there', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      await a.sessions.setState(sessionId, 'key', '"old"');
      await b.sessions.setState(sessionId, 'key', '"new"');
      expect(await a.sessions.getState(sessionId, 'key')).to.equal('"new"');
      expect(await b.sessions.deleteState(sessionId, 'key')).to.equal(true);
      expect(await a.sessions.deleteState(sessionId, 'key')).to.equal(false);
      expect(await a.sessions.getState(sessionId, 'key')).to.equal(undefined);
    });
  });

  describeContract(`${name}: incrementing state`, openHarness, (open) => {
    const numberIn = async ({ sessions }: Store, sessionId: string) =>
      JSON.parse((await sessions.getState(sessionId, 'n')) ?? 'null') as unknown;

    it('loses none of 1,000 increments made at once on two nodes, and gives each its own value', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      const calls = timesOf(1_000).map((i) => (stores[i % 2] as Store).sessions.incrementState(sessionId, 'n', 1));
      const values = (await Promise.all(calls)) as number[];
      expect(values.sort((a, b) => a - b)).to.deep.equal(timesOf(1_000).map((i) => i + 1));
      expect(await numberIn(stores[1], sessionId)).to.equal(1_000);
    });

    it('counts exactly: fractions, negative numbers and the largest integers', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      for (const [from, by] of [
        [0, -3],
        [1.5, 0.25],
        [0.1, 0.2],
        [-0.5, 1e-7],
        [9_007_199_254_740_990, 1],
        [1e20, 1e4],
      ] as const) {
        const { sessionId } = await openSession(a);
        await a.sessions.setState(sessionId, 'n', JSON.stringify(from));
        expect(await b.sessions.incrementState(sessionId, 'n', by), `${from} + ${by}`).to.equal(from + by);
        expect(await numberIn(a, sessionId), `${from} + ${by}, stored`).to.equal(from + by);
      }
    });

    it('counts on from a number that was set', async () => {
      const { stores } = await open();
      const { sessionId } = await openSession(stores[0]);
      await stores[0].sessions.setState(sessionId, 'n', '41');
      expect(await stores[1].sessions.incrementState(sessionId, 'n', 1)).to.equal(42);
      expect(await stores[0].sessions.incrementState(sessionId, 'other', 7)).to.equal(7);
    });

    it('refuses what is not a number with a TypeError and leaves it as it is', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const { sessionId } = await openSession(a);
      for (const json of ['"5"', '"text"', 'null', 'true', '[1]', '{"n":1}', '""']) {
        await a.sessions.setState(sessionId, 'n', json);
        expect(await rejectionOf(b.sessions.incrementState(sessionId, 'n', 1)), json).to.be.instanceOf(TypeError);
        expect(await a.sessions.getState(sessionId, 'n')).to.equal(json);
      }
    });
  });
}
