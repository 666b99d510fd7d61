/** What is refused before anybody looks at the message: origin, host, media types, size, versions, doubled headers. */
import { request as httpRequest } from 'node:http';
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { initialize, NEWEST_REVISION, request } from '../support/json-rpc.js';
import { ACCEPT_BOTH, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { type HttpSuite, MAX_BODY_BYTES } from './target.js';

const ROUTES = [
  ['POST', '/mcp'],
  ['GET', '/mcp'],
  ['DELETE', '/mcp'],
  ['GET', '/sse'],
  ['POST', '/messages?sessionId=00000000-0000-4000-8000-000000000000'],
] as const;
const PROBES = ['/health', '/readyz', '/livez', '/metrics'];

export const gates: HttpSuite = (target) => {
  let session: RawSession;
  before(async () => {
    session = await RawSession.open(target());
  });

  const ask = (method: string, path: string, headers: Record<string, string>): Promise<RawResponse> =>
    send(`${target().url}${path}`, {
      method,
      headers: { ...session.headers(), 'Content-Type': 'application/json', ...headers },
      ...(method === 'POST' ? { body: JSON.stringify(request(1, 'ping')) } : {}),
    });
  const ping = (headers: Record<string, string>): Promise<RawResponse> => ask('POST', '/mcp', headers);
  const statusOf = async (response: Promise<RawResponse>): Promise<number> => {
    const { status, close } = await response.then((r) => ({ status: r.status, close: () => r.close() }));
    close();
    return status;
  };

  it('refuses a foreign Host on every route of the protocol', async () => {
    for (const [method, path] of ROUTES) {
      for (const Host of ['evil.example.com', 'localhost.evil.example.com', '127.0.0.1.evil.example.com:80']) {
        await expectRpcError(await ask(method, path, { Host }), 403);
      }
    }
  });

  it('refuses a foreign Host beside one that is allowed, in whatever order, and one in the target of the request', async () => {
    const { port } = new URL(target().url);
    for (const [path, ...hosts] of [
      ['/mcp', 'localhost', 'evil.example.com'],
      ['/mcp', 'evil.example.com', 'localhost'],
      ['http://evil.example.com/mcp', 'localhost'],
    ] as [string, ...string[]][]) {
      const headers = hosts.flatMap((host) => ['Host', host]);
      const status = await new Promise((resolve, reject) => {
        const outgoing = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode);
        });
        outgoing.once('error', reject).end();
      });
      expect(status, `${path} ${hosts}`).to.equal(403);
    }
  });

  it('refuses a foreign Origin, and the origin "null", on every route of the protocol', async () => {
    for (const [method, path] of ROUTES) {
      for (const Origin of ['http://evil.example.com', 'http://localhost.evil.example.com', 'null']) {
        await expectRpcError(await ask(method, path, { Origin }), 403);
      }
    }
  });

  it('lets loopback names pass as Host and as Origin', async () => {
    for (const name of ['localhost', '127.0.0.1', '[::1]']) {
      expect(await statusOf(ping({ Host: `${name}:1234` })), name).to.equal(200);
      expect(await statusOf(ping({ Origin: `http://${name}:5173` })), name).to.equal(200);
    }
  });

  it('answers probes and scrapers whatever their Host, but not a foreign Origin', async () => {
    for (const path of PROBES) {
      expect(await statusOf(ask('GET', path, { Host: '10.1.2.3:8080' })), path).to.equal(200);
      expect(await statusOf(ask('GET', path, { Origin: 'http://evil.example.com' })), path).to.equal(403);
    }
  });

  it('wants a JSON body declared as such', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json',
    ]) {
      await expectRpcError(await ping({ 'Content-Type': type }), 415);
    }
    const undeclared = await send(`${target().url}/mcp`, {
      method: 'POST',
      headers: session.headers(),
      body: JSON.stringify(request(1, 'ping')),
    });
    await expectRpcError(undeclared, 415);
    for (const type of ['application/json; charset=utf-8', 'Application/JSON']) {
      expect(await statusOf(ping({ 'Content-Type': type })), type).to.equal(200);
    }
  });

  it('wants an Accept it can serve', async () => {
    await expectRpcError(await ping({ Accept: 'text/html' }), 406);
    await expectRpcError(await ask('GET', '/mcp', { Accept: 'application/json' }), 406);
    const usable = ['text/event-stream;q=0.5, application/json;q=0.9', 'APPLICATION/JSON, TEXT/EVENT-STREAM'];
    for (const Accept of usable) expect(await statusOf(ping({ Accept })), Accept).to.equal(200);
  });

  it('never answers a client that takes only JSON with a stream', async () => {
    const body = JSON.stringify(request(1, 'tools/call', { name: 'slow', arguments: { ms: 500, steps: 2 } }));
    const headers = { ...session.headers({ Accept: 'application/json' }), 'Content-Type': 'application/json' };
    const response = await send(`${target().url}/mcp`, { method: 'POST', headers, body });
    await response.text();
    expect(response.status).to.be.oneOf([200, 406]);
    expect(response.isStream).to.equal(false);
  });

  it('refuses a body over the limit, announced or not, and takes one just under it', async () => {
    const build = (bytes: number): string => {
      const empty = JSON.stringify(request(1, 'tools/call', { name: 'echo', arguments: { text: '' } }));
      return empty.replace('"text":""', `"text":"${'x'.repeat(bytes - empty.length)}"`);
    };
    const headers = { ...session.headers(), 'Content-Type': 'application/json' };
    const post = (body: string, more = {}): Promise<RawResponse> =>
      send(`${target().url}/mcp`, { method: 'POST', headers: { ...headers, ...more }, body });
    await expectRpcError(await post(build(MAX_BODY_BYTES + 1)), 413);
    await expectRpcError(await post(build(MAX_BODY_BYTES + 1), { 'Transfer-Encoding': 'chunked' }), 413);
    const taken = await post(build(MAX_BODY_BYTES));
    expect(taken.status).to.equal(200);
    await taken.text();
  });

  it('refuses a protocol version it does not serve on every method, and the session lives on', async () => {
    for (const version of ['1999-01-01', '2026-01-01', 'newest']) {
      for (const method of ['POST', 'GET', 'DELETE']) {
        const Accept = method === 'GET' ? 'text/event-stream' : ACCEPT_BOTH;
        await expectRpcError(await ask(method, '/mcp', { 'MCP-Protocol-Version': version, Accept }), 400, -32000);
      }
    }
    expect(await session.status()).to.equal(200);
  });

  it('looks at the version before it looks for the session', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    const response = await ping({ 'MCP-Protocol-Version': '1999-01-01', 'Mcp-Session-Id': unknown });
    await expectRpcError(response, 400, -32000);
  });

  it('judges a served version other than the agreed one the same way on every node', async () => {
    const older = await RawSession.open(target(), { revision: '2025-06-18' });
    const headers = { 'MCP-Protocol-Version': NEWEST_REVISION };
    const statuses = await Promise.all(target().nodeUrls.map((_, node) => older.status({ node, headers })));
    expect(new Set(statuses).size, `statuses ${statuses}`).to.equal(1);
    expect(statuses[0]).to.be.oneOf([200, 400]);
  });

  it('takes header names in any case, and the session without a version header', async () => {
    const headers = { 'MCP-SESSION-ID': session.id, Accept: ACCEPT_BOTH, 'content-type': 'application/json' };
    const body = JSON.stringify(request(1, 'ping'));
    const response = await send(`${target().url}/mcp`, { method: 'POST', headers, body });
    expect((await response.json()).result).to.deep.equal({});
  });

  it('refuses two different session ids or versions on one request', async () => {
    const other = await RawSession.open(target());
    const common = ['Content-Type', 'application/json', 'Accept', ACCEPT_BOTH];
    const doubled = [
      ['Mcp-Session-Id', session.id, 'Mcp-Session-Id', other.id, 'MCP-Protocol-Version', NEWEST_REVISION],
      ['Mcp-Session-Id', session.id, 'MCP-Protocol-Version', NEWEST_REVISION, 'MCP-Protocol-Version', '2025-06-18'],
    ];
    for (const headers of doubled) {
      const body = JSON.stringify(request(1, 'ping'));
      await expectRpcError(
        await send(`${target().url}/mcp`, { method: 'POST', headers: [...common, ...headers], body }),
        400,
      );
    }
    expect(await session.status()).to.equal(200);
  });

  it('serves initialize to the very Host it is reached by', async () => {
    const response = await send(`${target().url}/mcp`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH, Host: new URL(target().url).host },
      body: JSON.stringify(initialize(NEWEST_REVISION)),
    });
    expect(response.status, await response.text()).to.equal(200);
  });
};
