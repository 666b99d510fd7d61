/** Access tokens of an authorization server, on every node: who is let in, who is not, and whose session it is. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ask, callTool } from '../modern/modern-client.js';
import { AuthorizationServer, bearer, type TokenOptions } from '../support/authorization-server.js';
import { eventually } from '../support/eventually.js';
import { expectRpcError, expectSessionNotFound } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, request, textOf } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { openSse } from '../support/raw-sse-client.js';

const MODULE = fileURLToPath(new URL('./servers/scoped.mjs', import.meta.url));
const PUBLIC_URL = 'http://mcp.example:8080/team';
const RESOURCE = `${PUBLIC_URL}/mcp`;
const METADATA = 'http://mcp.example:8080/.well-known/oauth-protected-resource/team/mcp';

describe('a fleet behind an authorization server', () => {
  let issuer: AuthorizationServer;
  let fleet: Fleet;
  const headersFor = async (options: TokenOptions = {}) => bearer(await issuer.token(options));
  before(async () => {
    issuer = await AuthorizationServer.start(RESOURCE);
    fleet = await startFleet({
      nodes: 2,
      env: {
        MCP_SERVER: MODULE,
        PUBLIC_URL,
        AUTH_ISSUER: issuer.issuer,
        AUTH_SCOPES: 'mcp',
        AUTH_TOOL_SCOPES: 'configured=special+extra',
        AUTH_SCOPE_IMPLIES: 'files:write>files:read,files:admin>files:write',
      },
    });
  });
  after(async () => {
    await fleet?.stop();
    await issuer?.stop();
  });

  it('says where tokens are had, at both well-known places, the same on every node and for any Host', async () => {
    const seen = new Set<string>();
    for (const node of fleet.nodes) {
      for (const path of ['', '/mcp', '/team/mcp']) {
        for (const Host of ['localhost', 'mcp.example:8080']) {
          const response = await send(`${node.url}/.well-known/oauth-protected-resource${path}`, { headers: { Host } });
          expect(response.status).to.equal(200);
          seen.add(await response.text());
        }
      }
    }
    expect(seen.size).to.equal(1);
    expect(JSON.parse([...seen][0] as string)).to.deep.equal({
      resource: RESOURCE,
      authorization_servers: [issuer.issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: ['mcp', 'special', 'extra'],
    });
    for (const path of ['/sse', '/team/sse']) {
      const older = await (await send(`${fleet.url}/.well-known/oauth-protected-resource${path}`)).text();
      expect(JSON.parse(older).resource).to.equal(`${PUBLIC_URL}/sse`);
    }
    const other = await send(`${fleet.url}/.well-known/oauth-authorization-server`);
    await expectRpcError(other, 404);
  });

  it('challenges whoever has no token, on every route, method and body, before anything else is looked at', async () => {
    for (const url of fleet.nodeUrls) {
      for (const [method, path, body] of [
        ['POST', '/mcp', JSON.stringify(initialize(NEWEST_REVISION))],
        ['POST', '/mcp', '{"jsonrpc":"2.0","id":1,"method":"server/discover"}'],
        ['POST', '/mcp', 'garbage'],
        ['GET', '/mcp', undefined],
        ['DELETE', '/mcp', undefined],
        ['PUT', '/mcp', undefined],
        ['GET', '/sse', undefined],
        ['POST', '/messages?sessionId=x', '{}'],
        ['GET', '/nowhere', undefined],
        ['GET', '/metrics', undefined],
      ] as const) {
        const response = await send(`${url}${path}`, { method, ...(body !== undefined && { body }) });
        await expectRpcError(response, 401);
        const metadata = /^\/(sse|messages)/.test(path) ? METADATA.replace(/mcp$/, 'sse') : METADATA;
        expect(response.headers['www-authenticate'], `${method} ${path}`).to.equal(
          `Bearer resource_metadata="${metadata}", scope="mcp"`,
        );
      }
    }
  });

  it('accepts tokens that are right, in all their forms', async () => {
    for (const options of [
      {},
      { subject: '', client: 'machine' },
      { client: '', claims: { azp: 'app' } },
      { claims: { scope: undefined, scp: ['mcp'] } },
      { kid: null },
      { audience: `${PUBLIC_URL}/sse` },
    ] satisfies TokenOptions[]) {
      const session = await RawSession.open(fleet, { headers: await headersFor(options) });
      expect(await session.status()).to.equal(200);
    }
  });

  it('refuses every other token with its reason, and never shows any of it', async () => {
    const good = await issuer.token();
    const [head, payload, signature] = good.split('.') as [string, string, string];
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const hs = Buffer.from('{"alg":"HS256","kid":"first"}').toString('base64url');
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(atob(payload)), sub: 'eve' })).toString('base64url');
    const stranger = await AuthorizationServer.start(RESOURCE);
    const cases: [string, string, string][] = [
      ['for another audience', await issuer.token({ audience: 'https://other.example/mcp' }), 'another resource'],
      ['for a longer audience', await issuer.token({ audience: `${RESOURCE}/` }), 'another resource'],
      ['of another issuer', await issuer.token({ issuer: `${issuer.issuer}/` }), 'another issuer'],
      ['expired', await issuer.token({ expiresIn: -30 }), 'expired'],
      ['without an end', await issuer.token({ expiresIn: null }), 'claim'],
      ['not valid yet', await issuer.token({ claims: { nbf: Math.floor(Date.now() / 1000) + 600 } }), 'not valid yet'],
      ['with a made-up key', await issuer.token({ kid: 'made-up' }), 'key'],
      ['of a stranger with the same key name', await stranger.token({ issuer: issuer.issuer }), 'signature'],
      ['unsigned', `${none}.${payload}.`, ''],
      ['with a shared secret', `${hs}.${payload}.${signature}`, 'algorithm'],
      ['with a changed payload', `${head}.${forged}.${signature}`, 'signature'],
      ['cut short', good.slice(0, -8), ''],
      ['no JWT', 'opaque', 'malformed'],
      ['of nobody', await issuer.token({ subject: '', client: '' }), 'neither'],
      ['endless', 'a'.repeat(17_000), ''],
    ];
    await stranger.stop();
    for (const [title, token, why] of cases) {
      const response = await postMcp(fleet, initialize(NEWEST_REVISION), { headers: bearer(token) });
      // Node itself refuses headers beyond its bound.
      if (title === 'endless') {
        expect(response.status).to.be.oneOf([401, 431]);
        continue;
      }
      await expectRpcError(response, 401);
      expect(response.headers['www-authenticate'], title).to.match(
        /^Bearer error="invalid_token", error_description="/,
      );
      expect(response.headers['www-authenticate'], title).to.include(why);
      expect(response.headers['www-authenticate']).to.include(`resource_metadata="${METADATA}"`);
      expect(JSON.stringify(response.headers), title).to.not.include(token.slice(0, 20));
    }
  });

  it('keeps a session for issuer, subject and client, however often the token is refreshed, on every node', async () => {
    const session = await RawSession.open(fleet, { headers: await headersFor() });
    for (const node of [0, 1, 0]) {
      expect(await session.status({ node, headers: await headersFor() })).to.equal(200);
    }
    for (const options of [{ subject: 'bob' }, { client: 'other-app' }, { subject: 'ada app', client: '' }]) {
      const headers = { ...(await headersFor(options)), 'Mcp-Session-Id': session.id };
      for (const node of [0, 1]) {
        await expectSessionNotFound(await postMcp(fleet, request(1, 'ping'), { node, headers }), 1);
        const url = `${fleet.nodeUrls[node]}/mcp`;
        await expectSessionNotFound(await send(url, { headers: { ...headers, Accept: 'text/event-stream' } }));
        await expectSessionNotFound(await send(url, { method: 'DELETE', headers }));
      }
    }
    expect(await session.status()).to.equal(200);
  });

  it('tells handlers who calls, in both eras, and keeps the Authorization header from them', async () => {
    const headers = await headersFor({ scope: 'mcp files:write' });
    const session = await RawSession.open(fleet, { headers });
    const legacy = JSON.parse(textOf(await session.callTool('whoami')));
    const modern = JSON.parse(textOf(await callTool(fleet, 'whoami', {}, { headers })));
    for (const seen of [legacy, modern]) {
      expect(seen).to.deep.include({ clientId: 'app', subject: 'ada', scopes: ['mcp', 'files:write'] });
      expect(seen.headers).to.include('accept');
      expect(seen.headers).to.not.include('authorization');
    }
  });

  it('asks for the scope that every request needs, and for all that a tool needs at once', async () => {
    const none = await postMcp(fleet, initialize(NEWEST_REVISION), { headers: await headersFor({ scope: 'other' }) });
    await expectRpcError(none, 403);
    expect(none.headers['www-authenticate']).to.match(
      /^Bearer error="insufficient_scope", scope="mcp", resource_metadata=/,
    );

    const session = await RawSession.open(fleet, { headers: await headersFor() });
    for (const [tool, granted, missing] of [
      ['write_file', 'mcp', 'mcp files:write files:read'],
      ['write_file', 'mcp files:read', 'mcp files:write files:read'],
      ['write_file', 'mcp files:write', undefined],
      ['write_file', 'mcp files:admin', undefined],
      ['read_file', 'mcp files:write', undefined],
      ['read_file', 'mcp', 'mcp files:read'],
      ['configured', 'mcp special', 'mcp special extra'],
      ['configured', 'mcp special extra', undefined],
      ['mistaken', 'mcp files:admin', 'mcp unreadable'],
      ['whoami', 'mcp', undefined],
    ] as const) {
      const headers = await headersFor({ scope: granted });
      for (const node of [0, 1]) {
        const ways = [
          () => session.post(request(7, 'tools/call', { name: tool, arguments: {} }), { node, headers }),
          () => callModern(tool, node, headers),
        ];
        for (const way of ways) {
          const response = await way();
          if (missing === undefined) {
            expect(response.status, `${tool} with ${granted}: ${await response.text()}`).to.equal(200);
            continue;
          }
          await expectRpcError(response, 403, undefined, 7);
          expect(response.headers['www-authenticate']).to.match(/^Bearer error="insufficient_scope"/);
          expect(response.headers['www-authenticate'], tool).to.include(`scope="${missing}"`);
          expect(response.headers['www-authenticate']).to.include(`resource_metadata="${METADATA}"`);
        }
      }
    }
  });

  it('finds out about new keys by itself, at once, but is not driven against the authorization server', async () => {
    await issuer.addKey('second', 'ES256');
    expect((await postMcp(fleet, initialize(NEWEST_REVISION), { headers: await headersFor() })).status).to.equal(200);
    const before = issuer.asked.length;
    for (let i = 0; i < 40; i += 1) {
      const headers = await headersFor({ kid: `made-up-${i}` });
      await expectRpcError(await postMcp(fleet, initialize(NEWEST_REVISION), { headers }), 401);
    }
    expect(issuer.asked.length - before, 'looks of two nodes for forty unknown keys').to.be.below(16);
  });

  it('serves who is known while the authorization server is away, and says 503 where it cannot tell', async () => {
    const headers = await headersFor();
    const session = await RawSession.open(fleet, { headers });
    issuer.up = false;
    try {
      expect(await session.status()).to.equal(200);
      expect((await postMcp(fleet, initialize(NEWEST_REVISION), { headers: await headersFor() })).status).to.equal(200);
      const fresh = await fleet.addNode({ AUTH_JWKS_URI: `http://127.0.0.1:${issuer.port}/keys` });
      const response = await send(`${fresh.url}/mcp`, { method: 'POST', headers, body: '{}' });
      await expectRpcError(response, 503);
      expect(response.headers['retry-after']).to.equal('1');
      issuer.up = true;
      await eventually(async () => {
        const again = await postMcp(fleet, initialize(NEWEST_REVISION), { node: fleet.nodes.length - 1, headers });
        expect(again.status).to.equal(200);
      });
      await fleet.retire(fresh);
    } finally {
      issuer.up = true;
    }
  });

  it('ends open streams when the token does, in order, and lets running calls finish', async () => {
    const headers = await headersFor({ expiresIn: 1 });
    const session = await RawSession.open(fleet, { headers });
    const main = await session.stream();
    const sse = await openSse(fleet, '/sse', { headers });
    const listen = await listenModern(headers);
    const call = session.startTool('slow', { ms: 6000 });
    const long = await session.stream({ headers: await headersFor() });
    for (const stream of [main, sse, listen]) {
      expect(stream.status).to.equal(200);
      expect(await stream.untilEnd(), 'ended in order').to.equal(true);
    }
    expect(listen.messages.at(-1), 'a subscription ends with its result').to.have.property('result');
    expect(textOf(await (await call).answer())).to.equal('"slow"');
    await expectRpcError(
      await postMcp(fleet, request(1, 'ping'), { headers: { ...headers, 'Mcp-Session-Id': session.id } }),
      401,
    );
    expect(long.isOver, 'a stream opened with a token that lives').to.equal(false);
    expect(await session.status({ headers: await headersFor() })).to.equal(200);
    long.close();
  });

  it('stores no token and logs none, at any level', async () => {
    const token = await issuer.token();
    const session = await RawSession.open(fleet, { headers: bearer(token) });
    await session.startTool('slow', { ms: 600 }).then((call) => call.answer());
    const signature = token.split('.')[2] as string;
    for (const key of await fleet.inspect.keys('*')) {
      const kind = await fleet.inspect.type(key);
      const value =
        kind === 'hash'
          ? await fleet.inspect.hGetAll(key)
          : kind === 'stream'
            ? await fleet.inspect.xRange(key, '-', '+')
            : kind === 'string'
              ? await fleet.inspect.get(key)
              : [];
      expect(JSON.stringify(value), key).to.not.include(signature.slice(0, 24));
    }
    for (const node of fleet.nodes) expect(node.raw.join('\n')).to.not.include(signature.slice(0, 24));
  });

  const callModern = async (tool: string, node: number, headers: Record<string, string>) => {
    return ask(fleet, 'tools/call', { name: tool, arguments: {} }, { id: 7, node, headers });
  };
  const listenModern = async (headers: Record<string, string>) => {
    return ask(fleet, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { headers });
  };
});
