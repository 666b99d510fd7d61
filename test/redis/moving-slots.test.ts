/** A slot of a Cluster is moved while its sessions are used: nobody notices, whichever server has which key. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { parseRedisUrl } from '../../src/app/redis-url.js';
import { silentLogger } from '../../src/core/logger.js';
import { MAIN_STREAM } from '../../src/core/ports/event-log.js';
import type { Store } from '../../src/core/ports/store.js';
import { createRedisStore } from '../../src/redis/index.js';
import { slotOf } from '../../src/redis/slot.js';
import { LONG_LIMITS, openSession } from '../contract/harness.js';
import type { RedisServer } from '../support/redis.js';
import { type ClusterSetup, startCluster } from '../support/redis-cluster.js';

describe('a slot of a Cluster', function () {
  this.timeout(60_000);
  let cluster: ClusterSetup;
  let store: Store;
  before(async () => {
    cluster = await startCluster();
    store = await createRedisStore({
      target: parseRedisUrl(cluster.url),
      keyPrefix: '',
      limits: LONG_LIMITS,
      timeoutMs: 2000,
      logger: silentLogger,
    });
  });
  after(async () => {
    await store?.close();
    await cluster?.stop();
  });

  it('is reckoned as the Cluster reckons it', async () => {
    const names = ['a', 'äöü', '{a}b', 'x{a}', '{}a', 'a{}b', '{a', 'a}b{', '{{a}}', `{session:${randomUUID()}}:state`];
    const [server] = cluster.servers as [RedisServer];
    for (const name of names)
      expect(slotOf(name), name).to.equal(await cluster.ask(server, 'CLUSTER', 'KEYSLOT', name));
  });

  it('serves its sessions while it is moved, key by key, and after', async () => {
    const record = await openSession(store);
    const { sessionId } = record;
    const key = `session:${sessionId}`;
    const slot = String(slotOf(key));
    const from = await cluster.ownerOf(key);
    const to = cluster.servers.find((server) => server !== from) as RedisServer;
    const idOf = async (server: RedisServer) => String(await cluster.ask(server, 'CLUSTER', 'MYID'));
    const [fromId, toId] = [await idOf(from), await idOf(to)];

    // A session that has all of its keys: where one has never been, the Cluster waits for it while the slot moves.
    await store.calls.enter({ sessionId, callId: 'running' }, 'node', '{}');
    let count = 0;
    const use = async (): Promise<void> => {
      expect(await store.sessions.touch(sessionId)).to.deep.equal({ ...record, runningCalls: 1 });
      count += 1;
      expect(await store.sessions.incrementState(sessionId, 'count', 1)).to.equal(count);
      const appended = await store.log.append(sessionId, MAIN_STREAM, [{ data: String(count) }]);
      expect(appended.outcome).to.equal('appended');
    };

    await use();
    await cluster.ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await cluster.ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    await use();
    // Half of its keys are there: what needs both has to wait until the others have come.
    const keys = (await cluster.ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, '100')) as string[];
    expect(keys.length).to.be.above(2);
    const move = (names: string[]) =>
      cluster.ask(from, 'MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...names);
    await move(keys.filter((name) => name !== key));
    const waiting = use();
    await move([key]);
    await waiting;
    await use();
    for (const server of [to, from]) await cluster.ask(server, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    await use();
    expect((await cluster.ownerOf(key)).port).to.equal(to.port);
    const { entries } = await store.log.read(sessionId, MAIN_STREAM, '0-0', 100);
    expect(entries.map(({ data }) => data)).to.deep.equal(['1', '2', '3', '4', '5']);
  });
});
