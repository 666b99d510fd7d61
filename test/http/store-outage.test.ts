/**
 * The store is away: everything that needs it says so in time, nothing is acknowledged that was not stored, no session
 * is called lost, and all goes on by itself when the store is back.
 */
import { expect } from 'chai';
import supertest from 'supertest';
import { eventually } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, notification, request, textOf } from '../support/json-rpc.js';
import { ACCEPT_BOTH, postMcp, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { openSse } from '../support/raw-sse-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';

/** CONTRACT gives two seconds; the rest is for a busy machine. */
const IN_TIME_MS = 2500;

/** Two ways to be away: the port refuses, or the socket stays open and nothing comes back. */
const OUTAGES = {
  'does not answer': {
    begin: async (redis: RedisServer) => void process.kill(redis.pid, 'SIGSTOP'),
    end: async (redis: RedisServer) => {
      process.kill(redis.pid, 'SIGCONT');
      return redis;
    },
    keepsData: true,
  },
  'is gone': {
    begin: (redis: RedisServer) => redis.stop(),
    end: ({ port }: RedisServer) => startRedis({ port }),
    keepsData: false,
  },
} as const;

for (const [how, outage] of Object.entries(OUTAGES)) {
  describe(`while the store ${how}`, () => {
    let redis: RedisServer;
    let fleet: Fleet;
    let session: RawSession;
    before(async () => {
      redis = await startRedis();
      fleet = await startFleet({ nodes: 2, redis, env: { MCP_SERVER: 'everything' } });
      session = await RawSession.open(fleet);
      await session.callTool('count', { key: 'k' });
      await outage.begin(redis);
    });
    after(async () => {
      await fleet?.stop();
      await redis?.stop();
    });

    const expectUnavailable = async (ask: () => Promise<RawResponse>): Promise<void> => {
      const askedAt = Date.now();
      const response = await ask();
      await expectRpcError(response, 503);
      expect(Date.now() - askedAt).to.be.lessThan(IN_TIME_MS);
      expect(Number(response.headers['retry-after'])).to.be.greaterThan(0);
    };

    it('answers 503 in time to all that needs it, and acknowledges nothing', async () => {
      for (const node of [0, 1]) {
        await expectUnavailable(() => session.post(request(1, 'tools/list'), { node }));
        await expectUnavailable(() => session.post(notification('notifications/initialized'), { node }));
        await expectUnavailable(() => session.post({ jsonrpc: '2.0', id: 'x', result: {} }, { node }));
        await expectUnavailable(() => postMcp(fleet, initialize(NEWEST_REVISION), { node }));
        await expectUnavailable(() => session.delete({ node }));
        await expectUnavailable(() => openSse(fleet, '/sse', { node }));
        await expectUnavailable(() => {
          const headers = session.headers({ Accept: 'text/event-stream' });
          return send(`${fleet.nodeUrls[node]}/mcp`, { headers });
        });
      }
    });

    it('still refuses by itself what needs no store', async () => {
      await expectRpcError(await postMcp(fleet, request(1, 'ping')), 400, -32000, 1);
      await expectRpcError(
        await postMcp(fleet, request(1, 'ping'), { headers: { Origin: 'http://evil.example' } }),
        403,
      );
    });

    it('fails readiness and names the reason, but not liveness', async () => {
      for (const url of fleet.nodeUrls) {
        await supertest(url).get('/livez').expect(200);
        await eventually(async () => {
          for (const path of ['/readyz', '/health']) {
            const { body } = await supertest(url).get(path).expect(503);
            expect(body.status).to.equal('unhealthy');
            expect(JSON.stringify(body.checks)).to.match(/redis|store/i);
          }
        });
        const { text } = await supertest(url).get('/metrics').expect(200);
        expect(text).to.match(/^redis_up(\{.*\})? 0$/m);
      }
    });

    it('serves a modern request that needs nothing of it', async () => {
      const meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const response = await send(`${fleet.url}/mcp`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: ACCEPT_BOTH,
          'MCP-Protocol-Version': '2026-07-28',
          'Mcp-Method': 'tools/call',
          'Mcp-Name': 'echo',
        },
        body: JSON.stringify(request(1, 'tools/call', { name: 'echo', arguments: { text: 'hi' }, _meta: meta })),
      });
      expect(textOf(await response.json())).to.equal('hi');
    });

    it('goes on by itself when the store is back', async () => {
      redis = await outage.end(redis);
      for (const url of fleet.nodeUrls) await eventually(() => supertest(url).get('/readyz').expect(200));
      if (outage.keepsData) expect(textOf(await session.callTool('count', { key: 'k' }))).to.equal('2');
      else expect(await session.status()).to.equal(404);
      const next = await RawSession.open(fleet, { node: 0 });
      const stream = await next.stream({ node: 1 });
      await next.callTool('mutate', { kind: 'tools' }, { node: 0 });
      await stream.waitFor(({ method }) => method === 'notifications/tools/list_changed', 'list_changed');
      stream.close();
    });
  });
}
