/** Messages made to be read in two ways, or to be read as something else: by a browser, a proxy, a log or a stream. */
import { expect } from 'chai';
import { ask, MODERN, post } from '../modern/modern-client.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, notification, request, textOf } from '../support/json-rpc.js';
import { ACCEPT_BOTH, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { RawSseSession } from '../support/raw-sse-client.js';

describe('messages that are not what they seem', () => {
  let fleet: Fleet;
  let session: RawSession;
  before(async () => {
    fleet = await startFleet({ nodes: 2, env: { MCP_SERVER: 'everything' } });
    session = await RawSession.open(fleet);
  });
  after(() => fleet?.stop());

  const postText = (body: string, headers: Record<string, string> = {}): Promise<RawResponse> =>
    send(`${fleet.url}/mcp`, {
      method: 'POST',
      headers: { ...session.headers(), 'Content-Type': 'application/json', ...headers },
      body,
    });

  it('cannot come from a page of another site: no request that a browser sends without asking gets in', async () => {
    const Origin = 'https://evil.example';
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain; application/json',
    ]) {
      const body = JSON.stringify(initialize(NEWEST_REVISION));
      // With the Origin a browser sends, and without one, as some old ones did on a form's POST.
      await expectRpcError(
        await send(`${fleet.url}/mcp`, {
          method: 'POST',
          headers: { 'Content-Type': type, Accept: '*/*', Origin },
          body,
        }),
        403,
      );
      await expectRpcError(
        await send(`${fleet.url}/mcp`, { method: 'POST', headers: { 'Content-Type': type, Accept: '*/*' }, body }),
        415,
      );
      await expectRpcError(
        await send(`${fleet.url}/messages?sessionId=${session.id}`, {
          method: 'POST',
          headers: { 'Content-Type': type },
          body,
        }),
        415,
      );
    }
    const preflight = await send(`${fleet.url}/mcp`, {
      method: 'OPTIONS',
      headers: { Origin, 'Access-Control-Request-Method': 'POST' },
    });
    await expectRpcError(preflight, 403);
    expect(preflight.headers).to.not.have.property('access-control-allow-origin');
    for (const path of ['/mcp', '/sse', '/health', '/metrics', '/.well-known/oauth-protected-resource', '/nowhere']) {
      const response = await send(`${fleet.url}${path}`, { headers: { Origin } });
      await expectRpcError(response, 403);
      expect(response.headers, path).to.not.have.property('access-control-allow-origin');
    }
  });

  it('opens to an allowed origin only what a browser client needs', async () => {
    const Origin = 'http://localhost:5173';
    const preflight = await send(`${fleet.url}/mcp`, {
      method: 'OPTIONS',
      headers: {
        Origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'mcp-session-id, x-other, mcp-param-region, mcp-param-\u00e9',
      },
    });
    expect(preflight.status).to.equal(204);
    expect(preflight.headers['access-control-allow-origin']).to.equal(Origin);
    expect(preflight.headers['access-control-allow-headers']).to.include('mcp-param-region').and.not.include('x-other');
    expect(preflight.headers).to.not.have.property('access-control-allow-credentials');
    const response = await postText(JSON.stringify(request(1, 'ping')), { Origin });
    expect(response.headers['access-control-expose-headers']).to.equal(
      'Mcp-Session-Id, WWW-Authenticate, Retry-After, X-Request-Id',
    );
    expect(response.headers.vary).to.equal('Origin');
  });

  it('have one reading: the keys of JSON-RPC count as they are written, and only once', async () => {
    for (const body of [
      '{"JSONRPC":"2.0","id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","ID":1,"Method":"ping"}',
      '{"jsonrpc":"2.0","id":1,"METHOD":"ping"}',
      '{"jsonrpc":"2.0 ","id":1,"method":"ping"}',
      '{"jsonrpc":2.0,"id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","id":1,"method":["ping"]}',
      '{"jsonrpc":"2.0","id":{"$ne":1},"method":"ping"}',
      '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
      '{"jsonrpc":"2.0","id":true,"method":"ping"}',
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}',
      '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
      '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
      // What the servers behind would drop without a word, so that its sender waited for ever.
      '{"jsonrpc":"2.0","id":3,"method":"ping","Method":"tools/list","ID":4}',
      '{"jsonrpc":"2.0","id":3,"method":"ping","__proto__":{"polluted":true}}',
      '{"jsonrpc":"2.0","id":3,"method":"ping","params":{"_meta":"x"}}',
      '{"jsonrpc":"2.0","id":3,"method":"ping","params":{"_meta":{"progressToken":{}}}}',
      '{"jsonrpc":"2.0","id":3,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/related-task":1}}}',
      '{"jsonrpc":"2.0","id":3,"result":{"_meta":[]}}',
    ]) {
      await expectRpcError(await postText(body), 400, -32600);
    }
    // Parsers differ in which of two they take: what has two is refused, wherever its members stand.
    for (const body of [
      '{"jsonrpc":"2.0","id":1,"method":"tools/list","id":2}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"ping"}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/list","m\\u0065thod":"ping"}',
    ]) {
      await expectRpcError(await postText(body), 400, -32600);
    }
  });

  it('have headers and bodies that agree, or are refused (modern)', async () => {
    const params = { name: 'echo', arguments: { text: 'x' } };
    for (const [header, value] of [
      ['Mcp-Method', 'tools/list'],
      ['Mcp-Method', 'Tools/Call'],
      ['Mcp-Name', 'other'],
      ['Mcp-Name', 'ECHO'],
      ['MCP-Protocol-Version', '2025-11-25'],
    ] as const) {
      const response = await ask(fleet, 'tools/call', params, { headers: { [header]: value } });
      await expectRpcError(response, 400, -32020);
    }
    const bare = await post(fleet, request(1, 'ping'), {
      headers: { 'MCP-Protocol-Version': MODERN, 'Mcp-Session-Id': session.id },
    });
    expect(bare.status).to.equal(400);
    expect(await session.status()).to.equal(200);
  });

  it('cannot write a line of their own into a stream, whatever they carry', async () => {
    const forged = 'x\r\n\r\nevent: message\r\nid: 9-9\r\ndata: {"forged":true}\r\n\r\n\u2028\u2029\u0085\0';
    const old = await RawSseSession.connect(fleet);
    for (const method of [forged, 'tools/call']) {
      const call = await session.post(request(forged, method, { name: forged, arguments: { [forged]: forged } }));
      const text = await call.text();
      expect(
        text.split(/\r\n|\r|\n/).filter((line) => line.includes('"forged":true')),
        text,
      ).to.have.length.at.most(1);
      for (const event of call.events) expect(event.id).to.not.equal('9-9');
    }
    const echoed = await session.startTool('slow', { ms: 400, steps: 2 }, { progressToken: forged });
    await echoed.answer();
    for (const event of echoed.response.events) {
      expect(event.event ?? 'message').to.equal('message');
      expect(event.id).to.not.equal('9-9');
    }
    expect(
      echoed.response.messages.filter((m) => m.method === 'notifications/progress')[0]?.params.progressToken,
    ).to.equal(forged);
    await session.request('resources/subscribe', { uri: `test://${forged}` });
    await session.notify('notifications/cancelled', { requestId: forged, reason: forged });
    old.stream.close();
    expect(await session.status()).to.equal(200);
  });

  it('cannot write a header of their own', async () => {
    for (const path of [
      '/sse?sessionId=x%0d%0aSet-Cookie:%20a=b',
      '/messages?sessionId=x%0d%0aX-Forged:%201',
      '/mcp%0d%0aX-Forged:%201',
      '/.well-known/x%0d%0aX-Forged:%201',
    ]) {
      const response = await send(`${fleet.url}${path}`, { headers: { Accept: ACCEPT_BOTH } });
      await expectRpcError(response, response.status);
      expect(response.status).to.be.within(400, 499);
      expect(response.headers).to.not.have.any.keys('set-cookie', 'x-forged');
    }
  });

  it('leave prototypes alone', async () => {
    for (const body of [
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
      '{"jsonrpc":"2.0","id":1,"method":"__proto__"}',
      '{"jsonrpc":"2.0","id":1,"method":"constructor"}',
      '{"jsonrpc":"2.0","id":"__proto__","method":"tools/call","params":{"name":"__proto__","arguments":{"__proto__":{"polluted":true}}}}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"toString"}}',
      '{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"constructor"}}',
    ]) {
      const response = await postText(body);
      const text = await response.text();
      expect(response.status, body).to.equal(200);
      expect(text, body).to.not.include('polluted').and.not.include('native code');
    }
    const inherited = await session.notify('notifications/cancelled', JSON.parse('{"__proto__":{"requestId":1}}'));
    expect(inherited).to.equal(undefined);
    for (const name of ['__proto__', 'hasOwnProperty', 'valueOf']) {
      await postText(JSON.stringify(notification(`notifications/${name}`)));
    }
    expect(textOf(await session.callTool('echo', { text: 'still here' }))).to.include('still here');
  });

  it('cannot keep a node busy with a URI: templates and names are matched in linear time', async () => {
    const evil = [
      `test://template/${'a'.repeat(60_000)}/data!`,
      `test://template/${'/'.repeat(60_000)}`,
      `test://template/${'%2f'.repeat(20_000)}/dat`,
      `test://template/${'{id}'.repeat(10_000)}/data`,
      `test://${'a/'.repeat(30_000)}`,
    ];
    const plainStart = performance.now();
    for (let i = 0; i < 20; i += 1) await session.request('resources/read', { uri: 'test://template/1/data' });
    const plain = (performance.now() - plainStart) / 20;
    const start = performance.now();
    for (const uri of evil) {
      const answer = await session.request('resources/read', { uri });
      expect(answer.error ?? answer.result).to.be.an('object');
    }
    const each = (performance.now() - start) / evil.length;
    // A match that backtracks takes seconds to hours on these; carrying 60 kB takes milliseconds.
    expect(each, `an evil URI took ${each} ms, a plain one ${plain} ms`).to.be.below(plain * 20 + 1000);
  });
});
