/**
 * What is wrong with Redis at the start is one line that names the problem and the remedy, once. The node is live and not
 * ready, and ready by itself once it is mended. No line ever has a password.
 */
import { expect } from 'chai';
import { createClient } from 'redis';
import supertest from 'supertest';
import { createLogger } from '../../src/app/logger.js';
import { parseRedisUrl } from '../../src/app/redis-url.js';
import type { Store } from '../../src/core/ports/store.js';
import { createRedisStore } from '../../src/redis/index.js';
import { factsOf, faultOf, warningsOf } from '../../src/redis/inspection.js';
import { LONG_LIMITS } from '../contract/harness.js';
import { addUser, asUser, documentedRule, PASSWORD } from '../support/access-rule.js';
import { eventually } from '../support/eventually.js';
import { type LogLine, type NodeOutput, type NodeProcess, startNode } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';

interface Opened extends NodeOutput {
  readonly store: Store;
}

describe('a start with something wrong in Redis', function () {
  this.timeout(60_000);
  const started: { stop(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const each of started.splice(0).reverse()) await each.stop();
  });

  const server = async (...args: string[]): Promise<RedisServer> => {
    const redis = await startRedis({ args });
    started.push(redis);
    return redis;
  };

  /** A store as a node has it, with all that it logs. Most of this needs no process. */
  const open = async (url: string): Promise<Opened> => {
    const raw: string[] = [];
    const store = await createRedisStore({
      target: parseRedisUrl(url),
      keyPrefix: 'test-1:',
      limits: LONG_LIMITS,
      timeoutMs: 300,
      logger: createLogger({ level: 'trace', nodeId: 'node', destination: { write: (line) => raw.push(line) } }),
    });
    started.push({ stop: () => store.close() });
    return {
      store,
      raw,
      get log() {
        return raw.map((line) => JSON.parse(line) as LogLine);
      },
    };
  };

  const node = async (env: Record<string, string>): Promise<NodeProcess> => {
    const process = await startNode({ DRAIN_DELAY_MS: '0', KEY_PREFIX: 'test-1:', ...env });
    started.push(process);
    return process;
  };

  const ask = async ({ url }: RedisServer, ...args: string[]): Promise<void> => {
    const client = createClient({ url });
    await client.connect();
    await client.sendCommand(args);
    client.destroy();
  };

  const complaints = ({ log }: Pick<NodeProcess, 'log'>) =>
    log.filter(({ level, msg }) => msg?.startsWith('redis:') && (level === 'error' || level === 'warn'));

  /** One line, and out of service; after `mend` in service, by itself. */
  const expectFault = async (url: string, line: RegExp, mend?: () => Promise<unknown>): Promise<void> => {
    const opened = await open(url);
    await eventually(() => complaints(opened).some(({ msg }) => line.test(msg ?? '')), { what: String(line) });
    expect(await isWritable(opened)).to.equal(false);
    // Longer than several tries take.
    await new Promise((resolve) => setTimeout(resolve, 800));
    const found = complaints(opened).filter(({ msg }) => !/persistence/.test(msg ?? ''));
    expect(found.map(({ msg, level }) => `${level} ${msg}`)).to.have.lengthOf(1);
    expect(found[0]?.level).to.equal('error');
    if (mend) {
      await mend();
      await eventually(() => isWritable(opened), { what: 'service' });
    }
    expectNoPassword(opened.raw);
  };

  const isWritable = ({ store }: Opened): Promise<boolean> =>
    store.checkWritable().then(
      () => true,
      (error: Error) => {
        expect(error.name).to.equal('StoreUnavailable');
        return false;
      },
    );

  const expectNoPassword = (raw: readonly string[]): void => {
    expect(raw.join('\n')).not.to.include(PASSWORD).and.not.include(encodeURIComponent(PASSWORD));
  };

  it('leaves the node live and not ready, and ready by itself once it is mended', async () => {
    const redis = await server();
    const process = await node({ REDIS_URL: asUser(redis.url), LOG_LEVEL: 'trace' });
    await eventually(() => complaints(process).some(({ msg }) => msg?.includes('WRONGPASS')), { what: 'the line' });
    await supertest(process.url).get('/livez').expect(200);
    await supertest(process.url).get('/readyz').expect(503);
    await addUser(redis);
    await eventually(() => supertest(process.url).get('/readyz').expect(200));
    const session = await RawSession.open({ url: process.url, nodeUrls: [process.url] });
    expect(await session.status()).to.equal(200);
    expectNoPassword(process.raw);
  });

  it('says that the user is unknown or the password wrong', async () => {
    const redis = await server();
    await expectFault(asUser(redis.url), /WRONGPASS.*REDIS_URL/, () => addUser(redis));
  });

  it('says that a password is asked for', async () => {
    const redis = await server('--requirepass', PASSWORD);
    const client = createClient({ url: redis.url, password: PASSWORD });
    await client.connect();
    await expectFault(redis.url, /NOAUTH.*REDIS_URL/, () => client.sendCommand(['CONFIG', 'SET', 'requirepass', '']));
    client.destroy();
  });

  it('says which command is forbidden', async () => {
    const redis = await server();
    const without = documentedRule('test-').filter((word) => word !== '+xadd' && word !== '+hset');
    await addUser(redis, without);
    await expectFault(asUser(redis.url), /NOPERM.*HSET.*XADD.*Access rule/, () => addUser(redis));
  });

  it('says which keys and channels are forbidden', async () => {
    const redis = await server();
    await addUser(redis, documentedRule('other:'));
    await expectFault(asUser(redis.url), /NOPERM.*test-1:session/, () => addUser(redis));
  });

  it('says that scripts are forbidden', async () => {
    const redis = await server();
    await addUser(
      redis,
      documentedRule('test-').filter((word) => word !== '+eval'),
    );
    await expectFault(asUser(redis.url), /NOPERM|'eval' command/, () => addUser(redis));
  });

  it('says that it is a replica', async () => {
    const redis = await server();
    const master = await server();
    await ask(redis, 'REPLICAOF', '127.0.0.1', String(master.port));
    await expectFault(redis.url, /replica.*REDIS_URL/, () => ask(redis, 'REPLICAOF', 'NO', 'ONE'));
  });

  it('says that it is one server of a Cluster, and no Cluster where one was meant', async () => {
    const redis = await server('--cluster-enabled', 'yes');
    await expectFault(redis.url, /redis\+cluster:\/\//);
    const single = await server();
    await expectFault(single.url.replace('redis:', 'redis+cluster:'), /not a Cluster.*redis:\/\//);
  });

  it('says that Sentinels are no Redis, know no such master, or are none', async () => {
    const redis = await server();
    const sentinel = await startRedis({ sentinel: `sentinel monitor main 127.0.0.1 ${redis.port} 1\n` });
    started.push(sentinel);
    const hosts = sentinel.url.replace('redis:', 'redis+sentinel:');
    await expectFault(sentinel.url, /is a Sentinel.*redis\+sentinel:\/\//);
    await expectFault(`${hosts}/other`, /no master called "other"/);
    await expectFault(`${redis.url.replace('redis:', 'redis+sentinel:')}/main`, /must be Sentinels/);
  });

  it('warns of eviction and of missing persistence, and serves', async () => {
    const redis = await server('--maxmemory-policy', 'allkeys-lru');
    const process = await open(redis.url);
    expect(await isWritable(process)).to.equal(true);
    expect(complaints(process).map(({ level, msg }) => `${level} ${msg}`.split(/ is |:/)[1]?.trim())).to.have.lengthOf(
      2,
    );
    expect(
      complaints(process)
        .map(({ msg }) => msg)
        .join(),
    )
      .to.match(/allkeys-lru.*noeviction/)
      .and.match(/appendonly yes/);
  });

  it('serves where INFO and CONFIG are forbidden, and says at debug level what was not checked', async () => {
    const redis = await server('--maxmemory-policy', 'allkeys-lru');
    await addUser(
      redis,
      documentedRule('test-').filter((word) => !/info|config/.test(word)),
    );
    const process = await open(asUser(redis.url));
    expect(await isWritable(process)).to.equal(true);
    expect(complaints(process)).to.deep.equal([]);
    const unchecked = process.log.filter(
      ({ msg, level }) => msg === 'redis: could not be checked' && level === 'debug',
    );
    expect(unchecked.map(({ command }) => command)).to.include.members(['INFO', 'CONFIG']);
    expectNoPassword(process.raw);
  });

  it('knows what is too old, and that Valkey is not', () => {
    const facts = (text: string) => factsOf(`# Server\r\n${text}\r\n`);
    expect(faultOf(facts('redis_version:6.2.14'), 'single')).to.match(/6\.2\.14 is too old.*Redis 7/);
    expect(faultOf(facts('redis_version:7.2.4\r\nvalkey_version:8.0.1\r\nrole:master'), 'single')).to.equal(undefined);
    expect(faultOf(facts(''), 'single')).to.equal(undefined);
    expect(warningsOf(facts('maxmemory_policy:noeviction\r\naof_enabled:0'), '3600 1')).to.deep.equal([]);
    expect(warningsOf(facts('maxmemory_policy:noeviction\r\naof_enabled:1'), '')).to.deep.equal([]);
  });
});

describe('a master that becomes a replica', () => {
  it('is 503 and never 500, and served again when it is a master', async () => {
    const [redis, other] = [await startRedis(), await startRedis()];
    const process = await startNode({ REDIS_URL: redis.url, DRAIN_DELAY_MS: '0', MCP_SERVER: 'everything' });
    const role = createClient({ url: redis.url });
    await role.connect();
    try {
      const session = await RawSession.open({ url: process.url, nodeUrls: [process.url] });
      // What it has is kept: the other one is never reached.
      await role.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
      expect(await session.status()).to.equal(503);
      await supertest(process.url).get('/readyz').expect(503);
      await role.sendCommand(['REPLICAOF', 'NO', 'ONE']);
      await eventually(async () => expect(await session.status()).to.equal(200));
    } finally {
      role.destroy();
      await process.stop();
      await redis.stop();
      await other.stop();
    }
  });
});
