/** Contract of `SessionStore`: records and their life. State is in session-state.ts, the sweep in session-sweep.ts. */
import { expect } from 'chai';
import {
  describeContract,
  inTime,
  isGone,
  listen,
  makeRecord,
  type OpenHarness,
  openSession,
  timesOf,
} from './harness.js';

const NO_CAP = { maxSessions: 0 };

export function sessionStoreContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: session records`, openHarness, (open) => {
    it('loads on each node what one of them stored, field by field', async () => {
      const { stores } = await open();
      const record = makeRecord({
        transportType: 'sse',
        initialize: '{"clientInfo":{"name":"Zoë \\u0000 ☃ \\"quoted\\""}}',
        principal: 'user:with:colons and spaces',
        initialized: true,
        logLevel: 'warning',
      });
      expect(await stores[0].sessions.create(record, NO_CAP)).to.equal('created');
      for (const { sessions } of stores) expect(await sessions.touch(record.sessionId)).to.deep.equal(record);
    });

    it('keeps fields that are empty', async () => {
      const { stores } = await open();
      const record = makeRecord({ protocolVersion: '', initialize: '', clientInfo: '' });
      await stores[0].sessions.create(record, NO_CAP);
      expect(await stores[1].sessions.touch(record.sessionId)).to.deep.equal(record);
    });

    it('gives every handshake back to the letter', async () => {
      const { stores } = await open();
      const info = '{"name":"Zoë","version":"1"}';
      const usual = `{"protocolVersion":"2025-06-18","capabilities":{"roots":{}},"clientInfo":${info}}`;
      const handshakes = [
        usual,
        usual.replace('"capabilities"', ' "capabilities"'),
        usual.replace('2025-06-18', '2025-03-26'),
        usual.replace('Zoë', 'Zoe'),
        usual.replace('}}', '}},"_meta":{"a":1}'),
        `{"clientInfo":${info},"capabilities":{},"protocolVersion":"2025-06-18"}`,
        `{"protocolVersion":"2025-06-18","capabilities":,"clientInfo":${info}}`,
        '{}',
      ];
      for (const initialize of handshakes) {
        const record = makeRecord({ initialize, protocolVersion: '2025-06-18', clientInfo: info });
        await stores[0].sessions.create(record, NO_CAP);
        expect(await stores[1].sessions.touch(record.sessionId)).to.deep.equal(record);
        const { sessionId } = await openSession(stores[0], { initialize: '', protocolVersion: '', clientInfo: '' });
        const handshake = { initialize, protocolVersion: '2025-06-18', clientInfo: info };
        await stores[0].sessions.update(sessionId, handshake);
        expect(await stores[1].sessions.touch(sessionId)).to.include(handshake);
      }
    });

    it('stores the first state values with the record', async () => {
      const { stores } = await open();
      const record = makeRecord();
      const state = new Map([
        ['a', '1'],
        ['b', '{"deep":[null]}'],
      ]);
      await stores[0].sessions.create(record, { maxSessions: 0, state });
      for (const [key, json] of state) expect(await stores[1].sessions.getState(record.sessionId, key)).to.equal(json);
    });

    it('changes the fields that are named and no others', async () => {
      const { stores } = await open();
      const record = await openSession(stores[0], { logLevel: 'info' });
      const changes = { initialized: true, logLevel: '', protocolVersion: '2025-06-18' };
      expect(await stores[1].sessions.update(record.sessionId, changes)).to.equal(true);
      expect(await stores[0].sessions.touch(record.sessionId)).to.deep.equal({ ...record, ...changes });
    });

    it('keeps both of two updates made at once', async () => {
      const { stores } = await open();
      const record = await openSession(stores[0]);
      await Promise.all([
        stores[0].sessions.update(record.sessionId, { initialized: true }),
        stores[1].sessions.update(record.sessionId, { logLevel: 'debug' }),
      ]);
      const expected = { ...record, initialized: true, logLevel: 'debug' };
      expect(await stores[0].sessions.touch(record.sessionId)).to.deep.equal(expected);
    });

    it('knows nothing of a session that never was, and opens none by asking', async () => {
      const { stores } = await open();
      const [{ sessions }] = stores;
      const { sessionId, createdAt } = makeRecord();
      expect(await sessions.touch(sessionId)).to.equal(undefined);
      expect(await sessions.update(sessionId, { initialized: true })).to.equal(false);
      expect(await sessions.renew([sessionId])).to.deep.equal([sessionId]);
      expect(await sessions.delete({ sessionId, createdAt })).to.equal(false);
      expect(await sessions.touch(sessionId)).to.equal(undefined);
      expect(await sessions.count()).to.equal(0);
    });
  });

  describeContract(`${name}: the life of sessions`, openHarness, (open) => {
    it('ends a session that nobody uses', async () => {
      const harness = await open({ sessionTtlMs: 200 });
      const [a, b] = harness.stores;
      const record = await openSession(a);
      await inTime(harness, () => isGone(b, record), 'end of an idle session');
      expect(await b.sessions.touch(record.sessionId)).to.equal(undefined);
      expect(await a.sessions.renew([record.sessionId])).to.deep.equal([record.sessionId]);
    });

    it('renews a session with each touch', async () => {
      const harness = await open({ sessionTtlMs: 1_000 }, { sessionTtlMs: 120_000 });
      const [short, long] = harness.stores;
      const used = await openSession(short);
      expect(await long.sessions.touch(used.sessionId)).to.deep.equal(used);
      const idle = await openSession(short);
      await inTime(harness, () => isGone(short, idle), 'end of a later session that was not touched');
      expect(await long.sessions.touch(used.sessionId)).to.deep.equal(used);
      expect(await isGone(long, used), 'state outlived by its session').to.equal(false);
    });

    it('renews many sessions at once and names those that are gone', async () => {
      const harness = await open({ sessionTtlMs: 1_000 }, { sessionTtlMs: 120_000 });
      const [short, long] = harness.stores;
      const held = await Promise.all(timesOf(20).map(() => openSession(short)));
      const deleted = held.slice(0, 3);
      for (const record of deleted) await short.sessions.delete(record);
      const gone = await long.sessions.renew(held.map(({ sessionId }) => sessionId));
      expect(gone).to.have.members(deleted.map(({ sessionId }) => sessionId));
      const idle = await openSession(short);
      await inTime(harness, () => isGone(short, idle), 'end of a later session that was not renewed');
      for (const { sessionId } of held.slice(3)) expect(await long.sessions.touch(sessionId)).not.to.equal(undefined);
    });

    it('renews no session when none is named', async () => {
      const { stores } = await open();
      expect(await stores[0].sessions.renew([])).to.deep.equal([]);
    });

    it('ends a session at its greatest age, however much it is used', async () => {
      const harness = await open({ sessionMaxAgeMs: 300 });
      const [a, b] = harness.stores;
      const { sessionId } = await openSession(a);
      const isOver = async () =>
        (await a.sessions.touch(sessionId)) === undefined && (await b.sessions.renew([sessionId])).length === 1;
      await inTime(harness, isOver, 'end of an old session in use');
    });

    it('counts the sessions of all nodes', async () => {
      const { stores } = await open();
      const [a, b] = stores;
      const records = [await openSession(a), await openSession(b), await openSession(b)];
      for (const { sessions } of stores) expect(await sessions.count()).to.equal(3);
      await a.sessions.delete(records[1] ?? makeRecord());
      for (const { sessions } of stores) expect(await sessions.count()).to.equal(2);
    });
  });

  describeContract(`${name}: deleting a session`, openHarness, (open) => {
    it('is true for exactly one of several callers', async () => {
      const { stores } = await open();
      for (const record of await Promise.all(timesOf(10).map(() => openSession(stores[0])))) {
        const callers = [...stores, ...stores].map(({ sessions }) => sessions.delete(record));
        expect((await Promise.all(callers)).filter(Boolean)).to.have.length(1);
        for (const { sessions } of stores) expect(await sessions.touch(record.sessionId)).to.equal(undefined);
      }
    });

    it('tells every node, and only of what was there', async () => {
      const { stores } = await open();
      const nodes = [await listen(stores[0]), await listen(stores[1])];
      const { sessionId, createdAt } = await openSession(stores[0]);
      await stores[0].sessions.delete(makeRecord());
      await stores[0].sessions.delete({ sessionId, createdAt });
      for (const node of nodes) {
        await node.until(() => node.signals.length > 0, 'the end of the session');
        expect(node.signals).to.deep.equal([{ kind: 'ended', sessionId }]);
      }
    });

    it('leaves the others as they are', async () => {
      const { stores } = await open();
      const [kept, deleted] = [await openSession(stores[0]), await openSession(stores[0])];
      await stores[1].sessions.delete(deleted);
      expect(await stores[1].sessions.touch(kept.sessionId)).to.deep.equal(kept);
      expect(await isGone(stores[0], kept)).to.equal(false);
    });
  });
}
