/** How many requests a user, or an address, may send to a fleet: exactly so many, whichever nodes they go to. */
import { expect } from 'chai';
import { ask } from '../modern/modern-client.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, request } from '../support/json-rpc.js';
import { type Hop, postMcp, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { openSse } from '../support/raw-sse-client.js';
import type { RedisServer } from '../support/redis.js';
import { AUTH_TOKENS, as, refused, stored, timesOf } from './limited-fleet.js';

const PER_USER = 20;
const PER_ADDRESS = 30;
/** No test lasts as long: what is exact must not depend on when a window ends. */
const WINDOW_MS = 600_000;

describe('requests that are counted over three nodes', () => {
  let fleet: Fleet;
  let address = 0;
  before(async () => {
    const env = {
      AUTH_TOKENS,
      RATE_PER_USER: `${PER_USER}`,
      RATE_PER_ADDRESS: `${PER_ADDRESS}`,
      RATE_WINDOW_MS: `${WINDOW_MS}`,
      TRUSTED_PROXIES: '127.0.0.1',
    };
    fleet = await startFleet({ env });
  });
  after(() => fleet?.stop());

  const freshAddress = (): string => {
    address += 1;
    return `198.51.100.${address}`;
  };
  /** From an address that nobody else has, unless it is said which. */
  const from = (user: Parameters<typeof as>[0], where = freshAddress()): Hop => ({
    headers: { ...as(user).headers, 'X-Forwarded-For': where },
  });
  const ping = (hop: Hop, node: number): Promise<RawResponse> => ask(fleet, 'server/discover', {}, { ...hop, node });
  const statuses = async (responses: Promise<RawResponse>[]): Promise<Record<number, number>> => {
    const counts: Record<number, number> = {};
    for (const response of await Promise.all(responses)) {
      await response.text();
      counts[response.status] = (counts[response.status] ?? 0) + 1;
    }
    return counts;
  };

  it('lets a user through exactly as often as it says, and everybody else goes on', async () => {
    const flood = timesOf(3 * PER_USER).map((i) => ping(from('ada'), i % 3));
    const other = timesOf(PER_USER).map((i) => ping(from('bob'), i % 3));
    expect(await statuses(flood)).to.deep.equal({ 200: PER_USER, 429: 2 * PER_USER });
    expect(await statuses(other)).to.deep.equal({ 200: PER_USER });
    expect(await refused(fleet, 'rate_user')).to.equal(2 * PER_USER);
  });

  it('refuses with an error that says what and for how long, on every route and for every method', async () => {
    const hop = from('ada');
    for (const node of timesOf(3)) {
      const response = await ping(hop, node);
      expect(Number(response.headers['retry-after'])).to.be.within(WINDOW_MS / 1000 - 120, WINDOW_MS / 1000);
      const { error } = await expectRpcError(response, 429, -32000, null);
      expect(error?.data).to.deep.equal({ reason: 'rate_user' });
      expect(error?.message).to.match(/requests of this user/);
    }
    const url = `${fleet.nodeUrls[1]}/mcp`;
    for (const response of [
      await postMcp(fleet, initialize(NEWEST_REVISION), hop),
      await postMcp(fleet, 'not a message', hop),
      await openSse(fleet, '/sse', hop),
      await send(url, { headers: { ...hop.headers, Accept: 'text/event-stream' } }),
      await send(url, { method: 'DELETE', headers: hop.headers ?? {} }),
    ]) {
      await expectRpcError(response, 429, -32000, null);
    }
    for (const path of ['/health', '/readyz', '/livez', '/metrics']) {
      const response = await send(`${fleet.nodeUrls[0]}${path}`, { headers: hop.headers ?? {} });
      expect(response.status, `${path} ${await response.text()}`).to.equal(200);
    }
    const preflight = await send(url, {
      method: 'OPTIONS',
      headers: { Origin: 'http://localhost', 'Access-Control-Request-Method': 'POST' },
    });
    expect(preflight.status).to.equal(204);
  });

  it('takes the token first: who has none is 401 and counts for nobody', async () => {
    const { headers = {} } = from('ada');
    for (const node of timesOf(3)) {
      const nobody = { 'X-Forwarded-For': String(headers['X-Forwarded-For']) };
      await expectRpcError(await ask(fleet, 'server/discover', {}, { headers: nobody, node }), 401);
    }
  });

  it('stores nothing for a flood that is refused', async () => {
    expect(await statuses(timesOf(PER_USER).map((i) => ping(from('cyd', '198.51.100.250'), i % 3)))).to.deep.equal({
      200: PER_USER,
    });
    const hop = from('cyd', '198.51.100.250');
    await statuses(timesOf(12).map((i) => ping(hop, i % 3)));
    const [before, counters] = [await stored(fleet), await fleet.inspect.keys('rate:*')];
    const values = await fleet.inspect.mGet(counters);
    const flood = timesOf(120).map((i) => postMcp(fleet, initialize(NEWEST_REVISION), { ...hop, node: i % 3 }));
    expect(await statuses(flood)).to.deep.equal({ 429: 120 });
    expect(await stored(fleet)).to.deep.equal(before);
    expect(await fleet.inspect.mGet(counters)).to.deep.equal(values);
    for (const key of counters) {
      expect(await fleet.inspect.pTTL(key), key).to.be.within(1, WINDOW_MS);
      expect(key).to.not.match(/ada|bob|cyd|198/);
    }
  });

  it('counts an address whoever comes from it, and believes a proxy only where it is trusted', async () => {
    const shared = '203.0.113.7';
    const users = ['dan', 'eve', 'fay'] as const;
    const userOf = (i: number) => users[i % 3] as (typeof users)[number];
    const before = await refused(fleet, 'rate_address');
    const flood = timesOf(3 * PER_ADDRESS).map((i) => ping(from(userOf(i), shared), Math.floor(i / 3) % 3));
    expect(await statuses(flood)).to.deep.equal({ 200: PER_ADDRESS, 429: 2 * PER_ADDRESS });
    expect((await refused(fleet, 'rate_address')) - before).to.equal(2 * PER_ADDRESS);
    // What an address is refused is not taken from its users: they have the rest of what is theirs elsewhere.
    const rest = timesOf(3 * PER_USER).map((i) => ping(from(userOf(i)), Math.floor(i / 3) % 3));
    expect((await statuses(rest))[200]).to.equal(3 * PER_USER - PER_ADDRESS);
    const spoofed = from('gil', `192.0.2.1, ${shared}`);
    const { error } = await expectRpcError(await ping(spoofed, 0), 429, -32000, null);
    expect(error?.data).to.deep.equal({ reason: 'rate_address' });
    expect((await ping(from('gil', '203.0.113.8'), 0)).status).to.equal(200);
  });

  it('counts for each node while the store is away: modern requests are served, those of a session get 503', async () => {
    const session = await RawSession.open(fleet, from('gil'));
    const { pid } = fleet.redis as RedisServer;
    process.kill(pid, 'SIGSTOP');
    try {
      // The first one to wait for the store opens the breaker.
      await expectRpcError(await session.post(request(1, 'ping'), { node: 0 }), 503);
      for (const node of [1, 2]) {
        const seen = await statuses(timesOf(2 * PER_USER).map(() => ping(from('hal'), node)));
        expect(seen, `node ${node}`).to.deep.equal({ 200: PER_USER, 429: PER_USER });
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

describe('addresses', () => {
  it('are those of the sockets where nobody is trusted, so a header is no way out', async () => {
    const fleet = await startFleet({ nodes: 2, env: { RATE_PER_ADDRESS: '5', RATE_WINDOW_MS: `${WINDOW_MS}` } });
    try {
      const seen: number[] = [];
      for (const i of timesOf(8)) {
        const headers = { 'X-Forwarded-For': `198.51.100.${i}`, Forwarded: `for=198.51.100.${i}` };
        seen.push((await ask(fleet, 'server/discover', {}, { headers, node: i % 2 })).status);
      }
      expect(seen).to.deep.equal([200, 200, 200, 200, 200, 429, 429, 429]);
    } finally {
      await fleet.stop();
    }
  });
});
