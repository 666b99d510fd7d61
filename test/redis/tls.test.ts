/** Redis over TLS: a private authority and client certificates, and what happens where either is wrong. */
import { rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import supertest from 'supertest';
import { PROBES, returned } from '../cluster/probe-fleet.js';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { startFleet } from '../support/fleet.js';
import { runToExit, startNode } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { createInspector, type RedisEntrance, type RedisServer, startRedis } from '../support/redis.js';
import { startCluster } from '../support/redis-cluster.js';
import { startSentinelSetup } from '../support/redis-sentinel.js';

describe('Redis over TLS', function () {
  this.timeout(60_000);
  let authority: Authority;
  let own: Certificate;
  let client: Certificate;
  let redis: RedisServer;
  before(async () => {
    authority = createAuthority();
    own = authority.issue('redis', { dns: ['redis.internal'], ip: ['127.0.0.1'] });
    client = authority.issue('a node');
    redis = await startRedis({ tls: { authority, own } });
  });
  after(async () => {
    await redis?.stop();
    authority?.remove();
  });

  const environment = () => ({
    REDIS_TLS_CA_FILE: authority.certFile,
    REDIS_TLS_CERT_FILE: client.certFile,
    REDIS_TLS_KEY_FILE: client.keyFile,
  });

  const serves = async (entrance: RedisEntrance, env: Record<string, string>): Promise<void> => {
    const fleet = await startFleet({
      nodes: 2,
      redis: entrance,
      env: { ...env, MCP_SERVER: PROBES['an SDK 2.x server'] },
    });
    try {
      const session = await RawSession.open(fleet, { node: 0, capabilities: { elicitation: {} } });
      const call = await session.startTool('ask', { messages: ['?'] }, { node: 0 });
      const result = { action: 'accept', content: { word: 'w' } };
      await session.reply(await call.asked('elicitation/create'), { result }, { node: 1 });
      expect(returned(await call.answer())[0].content.word).to.equal('w');
    } finally {
      await fleet.stop();
    }
  };

  const plainly = (server: RedisServer): RedisEntrance => ({
    ...server,
    inspector: () => createInspector(`redis://127.0.0.1:${server.port}`),
  });

  it('is served with a private authority and a client certificate', () => serves(plainly(redis), environment()));

  it('is served under another name than that of the address', async () => {
    const named = authority.issue('redis', { dns: ['redis.internal'] });
    const server = await startRedis({ tls: { authority, own: named } });
    try {
      await serves(plainly(server), { ...environment(), REDIS_TLS_SERVER_NAME: 'redis.internal' });
      await refuses({ ...environment(), REDIS_URL: server.url }, /certificate is refused.*REDIS_TLS_SERVER_NAME/);
    } finally {
      await server.stop();
    }
  });

  if (process.env.ANYNODE_FULL === '1') {
    it('is served by a Cluster', async () => {
      const cluster = await startCluster({ server: { tls: { authority, own } } });
      await serves(cluster, environment()).finally(() => cluster.stop());
    });

    it('is served by the master of a Sentinel set-up', async () => {
      const setup = await startSentinelSetup({ tls: { authority, own } });
      await serves(setup, environment()).finally(() => setup.stop());
    });
  }

  const FAULTS: Record<string, [env: () => Record<string, string>, line: RegExp]> = {
    'of another authority': [
      () => ({ ...environment(), REDIS_TLS_CA_FILE: createAuthority('another').certFile }),
      /certificate is refused.*REDIS_TLS_CA_FILE/,
    ],
    'of a private authority that is not named': [
      () => ({ ...environment(), REDIS_TLS_CA_FILE: '' }),
      /certificate is refused.*REDIS_TLS_CA_FILE/,
    ],
    'that asks for a certificate, and gets none': [
      () => ({ REDIS_TLS_CA_FILE: authority.certFile }),
      /TLS connection.*REDIS_TLS_CERT_FILE/,
    ],
    'that speaks no TLS': [
      () => ({ ...environment(), REDIS_URL: `rediss://127.0.0.1:${redis.port}` }),
      /no connection: check .* speaks TLS$/,
    ],
    'that speaks nothing else': [
      () => ({ REDIS_URL: `redis://127.0.0.1:${redis.servicePort}` }),
      /no connection: check .* TLS only/,
    ],
  };
  it('is never connected to where a certificate or the port is wrong: one line says so, each time', () =>
    Promise.all(Object.values(FAULTS).map(([env, line]) => refuses(env(), line))));

  async function refuses(env: Record<string, string>, line: RegExp): Promise<void> {
    const node = await startNode({ REDIS_URL: redis.url, DRAIN_DELAY_MS: '0', ...env });
    try {
      await eventually(() => node.log.some(({ msg }) => line.test(msg ?? '')), { what: String(line) });
      await supertest(node.url).get('/readyz').expect(503);
      await supertest(node.url).get('/livez').expect(200);
      // The barrier: several tries later it is still one line.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const lines = node.log.filter(({ msg, level }) => msg?.startsWith('redis:') && level !== 'info');
      expect(lines.map(({ msg }) => msg)).to.have.lengthOf(1);
    } finally {
      await node.stop();
    }
  }

  it('is a fault of the configuration where a file is missing, is no PEM, or goes with no address', async () => {
    const damaged = `${authority.certFile}.damaged`;
    writeFileSync(damaged, authority.cert.replace(/MI.{20}/, 'MIIB'));
    const faults = await runToExit({
      REDIS_URL: 'rediss://127.0.0.1:1',
      REDIS_TLS_CA_FILE: '/nowhere/ca.pem',
      REDIS_TLS_CERT_FILE: damaged,
      REDIS_TLS_KEY_FILE: authority.certFile,
      REDIS_TLS_SERVER_NAME: 'not a name',
    });
    rmSync(damaged);
    expect(faults.code).to.equal(78);
    for (const name of ['CA_FILE', 'CERT_FILE', 'KEY_FILE', 'SERVER_NAME']) {
      expect(faults.raw.filter((each) => each.includes(`REDIS_TLS_${name}=`))).to.have.lengthOf(1);
    }
    expect(faults.raw.join('\n')).to.include('ENOENT').and.not.include('PRIVATE KEY');

    const foreign = authority.issue('somebody');
    const mismatch = { ...environment(), REDIS_URL: redis.url, REDIS_TLS_KEY_FILE: foreign.keyFile };
    expect((await runToExit(mismatch)).raw.join()).to.include('the key of the first certificate');
    const plain = await runToExit({ ...environment(), REDIS_URL: 'redis://127.0.0.1:1' });
    expect(plain.code).to.equal(78);
    expect(plain.raw).to.have.lengthOf(3);
  });
});
