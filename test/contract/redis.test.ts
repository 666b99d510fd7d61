/** The contract over Redis, and what can be seen of it only from Redis: names, life times, and that nothing is left. */
import { expect } from 'chai';
import { MAIN_STREAM } from '../../src/core/ports/event-log.js';
import type { SessionRecord } from '../../src/core/ports/session-store.js';
import { eventually } from '../support/eventually.js';
import { type ListeningNode, LONG_LIMITS, listen, openSession } from './harness.js';
import { type RedisHarness, useRedis } from './redis-harness.js';
import { storeContract } from './store.js';

describe('the contract over Redis', () => {
  const redis = useRedis();
  const { keysWith, expectLifeTimes } = redis;

  storeContract('redis', redis.open);

  describe('redis: what is stored', () => {
    let harness: RedisHarness;
    let record: SessionRecord;
    let node: ListeningNode;

    /** Writes everything that a session can have, from both nodes. */
    beforeEach(async () => {
      harness = await redis.open();
      const [a, b] = harness.stores;
      node = await listen(b);
      record = await openSession(a, { transportType: 'sse' });
      const { sessionId } = record;
      const holder = { nodeToken: node.token, connectionId: 'get' };
      await b.sessions.touch(sessionId);
      await b.sessions.subscribe(sessionId, 'test://subscribed', '1-0');
      await b.sessions.incrementState(sessionId, 'counter', 1);
      await b.log.attachTail(sessionId, MAIN_STREAM, holder, { takeOver: true });
      await b.log.recordDelivered(sessionId, MAIN_STREAM, holder, '1-0');
      await a.log.append(sessionId, MAIN_STREAM, [{ data: 'notice' }]);
      for (const callId of ['running', 'finished']) {
        const call = { callId, owner: node.token, open: { holder, journal: '{}' } };
        await a.log.append(sessionId, callId, [{ data: '' }], { call, batch: '1' });
      }
      const call = { callId: 'finished', owner: node.token, finish: true };
      await a.log.append(sessionId, 'finished', [{ data: 'result', end: true }], { call, batch: '2' });
      await a.calls.enter({ sessionId, callId: 'entered' }, node.token, '{}');
      await a.calls.list(node.token, { sessionId, callId: 'entered' });
      await a.log.attachTail(sessionId, MAIN_STREAM, { ...holder, connectionId: 'newer' }, { takeOver: true });
      await a.log.handOver(sessionId, MAIN_STREAM, holder, '2-0');
      await a.changes.append({ kind: 'tools' });
      await a.secrets.shared('state', 'candidate');
      await a.broker.post(node.token, { sessionId, message: '{}' });
      await a.nodes.lead('sweep', node.token, 60_000);
      await a.sessions.sweep(100);
    });

    afterEach(() => harness.close());

    it('shows a session to people as a hash with the fields of the documentation', async () => {
      const fields = await redis.client().hGetAll(`${harness.prefix}session:${record.sessionId}`);
      expect(fields).to.include({
        sessionId: record.sessionId,
        transportType: 'sse',
        createdAt: String(record.createdAt),
        protocolVersion: record.protocolVersion,
        clientInfo: record.clientInfo,
      });
      expect(Number(fields.lastActive)).to.be.within(record.createdAt, Date.now());
    });

    it('takes less than a kilobyte for a session whose client says what clients say', async () => {
      const clientInfo = '{"name":"a-well-known-client","version":"1.22.333"}';
      const capabilities = '{"roots":{"listChanged":true},"elicitation":{"form":{}}}';
      const { sessionId } = await openSession(harness.stores[0], {
        protocolVersion: '2025-11-25',
        clientInfo,
        initialize: `{"protocolVersion":"2025-11-25","capabilities":${capabilities},"clientInfo":${clientInfo}}`,
      });
      const bytes = await redis.client().memoryUsage(`${harness.prefix}session:${sessionId}`);
      expect(bytes).to.be.within(1, 800);
    });

    it('has the life time of a session on its hash, renewed by use', async () => {
      const key = `${harness.prefix}session:${record.sessionId}`;
      expect(await redis.client().pTTL(key)).to.be.within(1, LONG_LIMITS.sessionTtlMs);
      await redis.client().pExpire(key, 30_000);
      await redis.client().hSet(key, 'lastActive', '1');
      await harness.stores[1].sessions.touch(record.sessionId);
      expect(await redis.client().pTTL(key)).to.be.above(30_000);
      expect(Number(await redis.client().hGet(key, 'lastActive'))).to.be.at.least(record.createdAt);
      await redis.client().pExpire(key, 30_000);
      await harness.stores[0].sessions.renew([record.sessionId]);
      expect(await redis.client().pTTL(key)).to.be.above(30_000);
    });

    it('has nothing without a life time', async () => {
      expect(await keysWith(harness.prefix)).to.have.length.above(8);
      await expectLifeTimes(harness.prefix);
    });

    it('keeps all keys of a session in the slot of its hash', async () => {
      const hash = `${harness.prefix}session:${record.sessionId}`;
      const keys = await keysWith(record.sessionId);
      expect(keys).to.include(hash);
      expect(keys).to.have.length.above(3);
      for (const key of keys) {
        // A slot is that of the first {...} in the name, or of the whole name where there is none.
        const tag = /\{([^}]+)\}/.exec(key)?.[1] ?? key;
        expect(tag, key).to.equal(hash);
      }
    });

    it('writes no key outside its prefix', async () => {
      const all = await keysWith('');
      expect(all.filter((key) => !/^\{?test-[0-9a-f]{12}:/.test(key))).to.deep.equal([]);
    });

    it('leaves no key of a session that was deleted, and no trace in the others', async () => {
      const { sessionId } = record;
      await harness.stores[1].sessions.delete(record);
      expect(await keysWith(sessionId)).to.deep.equal([]);
      // Places in a node's list are given up by the node itself when its call is over.
      await harness.stores[1].calls.unlist(node.token, { sessionId, callId: 'entered' });
      // The inbox may hold a letter until its node has read it; everything else is at rest.
      const index = (await keysWith(harness.prefix)).filter((key) => !key.endsWith(':inbox'));
      for (const key of index) expect(await dump(key), key).not.to.include(sessionId);
    });

    it('leaves no key of a session whose stream was attached to and never used', async () => {
      const [a, b] = harness.stores;
      const attached = await openSession(a);
      const holder = { nodeToken: node.token, connectionId: 'get' };
      await a.log.attachTail(attached.sessionId, MAIN_STREAM, holder, { takeOver: false });
      expect(await keysWith(attached.sessionId)).to.have.length.above(2);
      await b.sessions.delete(attached);
      expect(await keysWith(attached.sessionId)).to.deep.equal([]);
    });

    it('leaves no inbox of a node that has stopped', async () => {
      const inboxes = async () => (await keysWith(harness.prefix)).filter((key) => key.includes('inbox'));
      await harness.stores[1].broker.stop();
      await eventually(async () => (await inboxes()).length === 0, { what: 'no inbox' });
    });

    async function dump(key: string): Promise<string> {
      switch (await redis.client().type(key)) {
        case 'string':
          return String(await redis.client().get(key));
        case 'hash':
          return JSON.stringify(await redis.client().hGetAll(key));
        case 'zset':
          return JSON.stringify(await redis.client().zRange(key, 0, -1));
        case 'stream':
          return JSON.stringify(await redis.client().xRange(key, '-', '+'));
        default:
          return '';
      }
    }
  });

  it('sees nothing of a fleet with another prefix', async () => {
    const [one, two] = [await redis.open(), await redis.open()];
    const [a, b] = [await listen(one.stores[0]), await listen(two.stores[0])];
    const record = await openSession(one.stores[0]);
    await one.stores[0].changes.append({ kind: 'tools' });
    expect(await two.stores[0].sessions.touch(record.sessionId)).to.equal(undefined);
    expect(await two.stores[0].sessions.count()).to.equal(0);
    expect(await two.stores[0].nodes.list()).to.deep.equal([`node-${b.token}`]);
    expect(await two.stores[0].changes.latest()).to.equal('0-0');
    expect(await two.stores[0].broker.post(a.token, { sessionId: 's', message: '{}' })).to.equal(false);
    await one.stores[0].sessions.delete(record);
    await two.stores[0].broker.signal({ kind: 'initialized', sessionId: 'two' });
    await a.until(() => a.signals.length > 0, 'the signal of the first fleet');
    await b.until(() => b.signals.length > 0, 'the signal of the second fleet');
    expect(a.signals).to.deep.equal([{ kind: 'ended', sessionId: record.sessionId }]);
    expect(b.signals).to.deep.equal([{ kind: 'initialized', sessionId: 'two' }]);
    await one.close();
    await two.close();
  });
});
