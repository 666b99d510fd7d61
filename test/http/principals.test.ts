/** Whose session it is: a bearer token on every request, and for everybody else's sessions the answer of no session. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { expectRpcError, expectSessionNotFound } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, notification, request } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { openSse, postMessage, RawSseSession } from '../support/raw-sse-client.js';

const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` });
const ADA = bearer('token-of-ada-7d1f');
const ADA_TOO = bearer('second-token-of-ada-93c2');
const BOB = bearer('token-of-bob-55aa');
const CARL = bearer('token:of:carl#1');

describe('a session of a user', () => {
  let fleet: Fleet;
  let session: RawSession;
  before(async () => {
    const AUTH_TOKENS = 'ada:token-of-ada-7d1f,ada:second-token-of-ada-93c2,bob:token-of-bob-55aa,carl:token:of:carl#1';
    fleet = await startFleet({ nodes: 2, env: { MCP_SERVER: 'everything', AUTH_TOKENS } });
    session = await RawSession.open(fleet, { headers: ADA });
  });
  after(() => fleet?.stop());

  it('is opened by nobody without a token, nor with a wrong one', async () => {
    for (const headers of [{}, bearer('token-of-eve'), bearer(''), { Authorization: 'Basic YWRhOng=' }]) {
      const response = await postMcp(fleet, initialize(NEWEST_REVISION), { headers });
      expect(response.status, await response.text()).to.equal(401);
      expect(response.headers['www-authenticate']).to.match(/^Bearer/);
      expect(response.headers).to.not.have.property('mcp-session-id');
      const sse = await openSse(fleet, '/sse', { headers });
      expect(sse.status).to.equal(401);
      sse.close();
    }
  });

  it('is opened with any token that the configuration takes', async () => {
    const own = await RawSession.open(fleet, { headers: CARL });
    expect(await own.status()).to.equal(200);
    expect(await own.status({ headers: ADA })).to.equal(404);
  });

  it('wants the token on every request, on every node: having opened it is no proof', async () => {
    for (const node of [0, 1]) {
      const headers = { 'Mcp-Session-Id': session.id };
      const response = await postMcp(fleet, request(1, 'ping'), { node, headers });
      expect(response.status, await response.text()).to.equal(401);
      expect(await session.status({ node })).to.equal(200);
      expect(await session.status({ node, headers: ADA_TOO }), 'another token of the same user').to.equal(200);
    }
  });

  it('is not there for another user, in the very words said of one that never was', async () => {
    for (const [id, node] of [
      [session.id, 0],
      [session.id, 1],
      [randomUUID(), 1],
    ] as const) {
      const headers = { ...BOB, 'Mcp-Session-Id': id };
      const url = `${fleet.nodeUrls[node]}/mcp`;
      await expectSessionNotFound(await postMcp(fleet, request(1, 'ping'), { node, headers }), 1);
      await expectSessionNotFound(await postMcp(fleet, notification('notifications/initialized'), { node, headers }));
      await expectSessionNotFound(await send(url, { headers: { ...headers, Accept: 'text/event-stream' } }));
      await expectSessionNotFound(await send(url, { method: 'DELETE', headers }));
    }
    expect(await session.status()).to.equal(200);
  });

  it('is not there for another user over HTTP+SSE either', async () => {
    const old = await RawSseSession.connect(fleet, { headers: ADA });
    await expectRpcError(await postMessage(fleet, old.endpoint, request(1, 'ping'), { headers: BOB }), 404);
    await expectRpcError(await openSse(fleet, `/sse?sessionId=${old.id}`, { headers: BOB }), 404);
    const own = await postMessage(fleet, old.endpoint, initialize('2024-11-05'), { headers: ADA_TOO });
    expect(own.status, await own.text()).to.equal(202);
    await old.answerTo('init');
    old.stream.close();
  });

  it('keeps its tokens to itself: none is stored', async () => {
    for (const key of await fleet.inspect.keys('*session:*')) {
      if ((await fleet.inspect.type(key)) !== 'hash') continue;
      expect(JSON.stringify(await fleet.inspect.hGetAll(key))).to.not.include('token-of');
    }
  });
});
