/** Borders: between fleets on one Redis, between nodes that want one name, and between one session and one too many. */
import { expect } from 'chai';
import supertest from 'supertest';
import { eventually } from '../support/eventually.js';
import { expectSessionNotFound } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, request } from '../support/json-rpc.js';
import { runToExit, startNode } from '../support/node-process.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { flush, PROBES, probe, startProbeFleet, updatesOf } from './probe-fleet.js';

const healthOf = async (url: string): Promise<{ activeSessions: number; nodeId: string }> =>
  (await supertest(url).get('/health').expect(200)).body;

describe('two fleets on one Redis', () => {
  let redis: RedisServer;
  let fleets: Fleet[] = [];
  before(async () => {
    redis = await startRedis();
    fleets = await Promise.all(
      ['blue:', 'green:'].map((KEY_PREFIX) => startProbeFleet({ nodes: 2, redis, env: { KEY_PREFIX } })),
    );
  });
  after(async () => {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
    await redis?.stop();
  });

  it('see neither sessions nor counts nor changes of each other', async () => {
    const [blue, green] = fleets as [Fleet, Fleet];
    const [a, b] = await Promise.all([RawSession.open(blue), RawSession.open(green)]);
    const foreign = await postMcp(green, request(1, 'ping'), { headers: a.headers() });
    await expectSessionNotFound(foreign, 1);

    const uri = 'test://same-name';
    const [streamA, streamB] = await Promise.all([a.stream({ node: 0 }), b.stream({ node: 0 })]);
    await Promise.all([a, b].map((session) => session.request('resources/subscribe', { uri })));
    await probe(a, 'touch', { uri }, { node: 1 });
    await probe(a, 'change', { kind: 'tools' }, { node: 1 });
    await streamA.waitFor(({ method }) => method === 'notifications/tools/list_changed', 'list_changed');
    await flush(b, streamB, { node: 1 });
    expect(updatesOf(streamA, uri)).to.have.lengthOf(1);
    expect(updatesOf(streamB, uri)).to.have.lengthOf(0);
    expect(streamB.messages.some(({ method }) => method === 'notifications/tools/list_changed')).to.equal(false);
    for (const fleet of [blue, green]) expect((await healthOf(fleet.url)).activeSessions).to.equal(1);
    for (const stream of [streamA, streamB]) stream.close();
  });

  it('write no key outside their prefixes, and keep it within the hash tag', async () => {
    const [blue] = fleets as [Fleet, Fleet];
    const session = await RawSession.open(blue);
    await probe(session, 'remember', { key: 'k', value: 1 });
    const keys = await blue.inspect.keys('*');
    const name = `blue:session:${session.id}`;
    expect(keys).to.include(name);
    for (const key of keys) {
      expect(key.replaceAll(/[{}]/g, '')).to.match(/^(blue|green):/);
      if (key.includes(session.id) && key !== name) expect(key).to.include(`{${name}}`);
    }
  });
});

describe('the name of a node', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  it('is never shared by two that live, and free again when its owner is dead', async () => {
    const env = { REDIS_URL: redis.url, NODE_ID: 'the-one', NODE_LEASE_MS: '1500', DRAIN_DELAY_MS: '0' };
    const first = await startNode(env);
    expect(first.nodeId).to.equal('the-one');
    expect((await healthOf(first.url)).nodeId).to.equal('the-one');

    const second = await startNode(env).catch((error: Error) => error);
    if (second instanceof Error) {
      const refusal = await runToExit(env);
      expect(refusal.code, refusal.raw.join('\n')).to.not.equal(0);
      expect(refusal.raw.join('\n')).to.include('the-one');
    } else {
      expect(second.nodeId).to.not.equal('the-one');
      const said = second.log.some((line) => JSON.stringify(line).includes('the-one') && line.msg !== 'listening');
      expect(said, second.raw.join('\n')).to.equal(true);
      await second.stop();
    }

    first.signal('SIGKILL');
    await first.exited;
    const heir = await eventually(async () => {
      const node = await startNode(env).catch(() => undefined);
      if (node?.nodeId === 'the-one') return node;
      await node?.stop();
      return false;
    });
    expect((await heir.stop()).code).to.equal(0);
  });
});

describe('the cap on sessions', () => {
  it('holds over the whole fleet, also when all come at once, and counts what the fleet has', async () => {
    const fleet = await startFleet({ nodes: 2, env: { MAX_SESSIONS: '5', MCP_SERVER: PROBES['an SDK 2.x server'] } });
    try {
      const handshake = initialize(NEWEST_REVISION);
      const responses = await Promise.all(
        Array.from({ length: 14 }, (_, i) => postMcp(fleet, handshake, { node: i % 2 })),
      );
      const opened = responses.filter(({ status }) => status === 200);
      expect(responses.map(({ status }) => status).sort()).to.deep.equal([
        ...Array(5).fill(200),
        ...Array(9).fill(503),
      ]);
      for (const response of responses.filter(({ status }) => status === 503)) {
        expect(Number(response.headers['retry-after'])).to.be.greaterThan(0);
        expect((await response.json()).error).to.include.keys('code', 'message');
        expect(response.headers).to.not.have.property('mcp-session-id');
      }
      for (const url of fleet.nodeUrls) expect((await healthOf(url)).activeSessions).to.equal(5);

      const headers = { 'Mcp-Session-Id': String(opened[0]?.headers['mcp-session-id']) };
      const deleted = await fetch(`${fleet.nodeUrls[1]}/mcp`, { method: 'DELETE', headers });
      expect(deleted.status).to.be.within(200, 299);
      await RawSession.open(fleet, { node: 0 });
      const full = await postMcp(fleet, handshake, { node: 1 });
      expect(full.status, await full.text()).to.equal(503);
    } finally {
      await fleet.stop();
    }
  });
});
