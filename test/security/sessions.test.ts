/** Another user's session, stream, event ids and questions: nothing of them can be had, ended or spoken into. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectRpcError, expectSessionNotFound, UUID } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, notification, request, textOf } from '../support/json-rpc.js';
import { ACCEPT_BOTH, postMcp, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { openSse, postMessage, RawSseSession } from '../support/raw-sse-client.js';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const ADA = bearer('token-of-ada-7d1f');
const BOB = bearer('token-of-bob-55aa');
const NODES = [0, 1, 2];

describe('what belongs to somebody else', () => {
  let fleet: Fleet;
  let ada: RawSession;
  let bob: RawSession;
  before(async () => {
    fleet = await startFleet({
      env: { MCP_SERVER: 'everything', AUTH_TOKENS: 'ada:token-of-ada-7d1f,bob:token-of-bob-55aa' },
    });
    ada = await RawSession.open(fleet, { headers: ADA, capabilities: { elicitation: {} } });
    bob = await RawSession.open(fleet, { headers: BOB, capabilities: { elicitation: {} } });
  });
  after(() => fleet?.stop());

  const asBob = (more: Record<string, string> = {}) => ({ ...ada.headers(more), ...BOB });

  it('is answered as if it were not there, by every method and verb, on every node', async () => {
    const messages = [
      request(1, 'ping'),
      request(1, 'tools/list'),
      request(1, 'tools/call', { name: 'echo', arguments: { text: 'x' } }),
      request(1, 'resources/list'),
      request(1, 'resources/read', { uri: 'test://static-text' }),
      request(1, 'resources/subscribe', { uri: 'test://static-text' }),
      request(1, 'resources/unsubscribe', { uri: 'test://static-text' }),
      request(1, 'resources/templates/list'),
      request(1, 'prompts/list'),
      request(1, 'prompts/get', { name: 'x' }),
      request(1, 'completion/complete', {}),
      request(1, 'logging/setLevel', { level: 'debug' }),
      request(1, 'no/such/method'),
    ];
    const silent = [
      notification('notifications/initialized'),
      notification('notifications/cancelled', { requestId: 1 }),
      notification('notifications/progress', { progressToken: 1, progress: 1 }),
      notification('notifications/roots/list_changed'),
      { jsonrpc: '2.0', id: 'x', result: {} },
      { jsonrpc: '2.0', id: 'x', error: { code: 1, message: 'x' } },
    ];
    for (const node of NODES) {
      const url = `${fleet.nodeUrls[node]}/mcp`;
      for (const message of messages)
        await expectSessionNotFound(await postMcp(fleet, message, { node, headers: asBob() }), 1);
      for (const message of silent) {
        const response = await postMcp(fleet, message, { node, headers: asBob() });
        await expectRpcError(response, 404, -32001);
      }
      await expectSessionNotFound(await send(url, { headers: asBob({ Accept: 'text/event-stream' }) }));
      await expectSessionNotFound(await send(url, { method: 'DELETE', headers: asBob() }));
    }
    expect(await ada.status()).to.equal(200);
    const record = await fleet.inspect.hGetAll(`session:${ada.id}`);
    expect(Object.keys(record).filter((field) => field.startsWith('sub:'))).to.deep.equal([]);
    expect(record.logLevel ?? '').to.equal('');
  });

  it('is not renewed by asking for it', async () => {
    await fleet.inspect.pExpire(`session:${ada.id}`, 60_000);
    for (const node of NODES)
      await expectSessionNotFound(await postMcp(fleet, request(1, 'ping'), { node, headers: asBob() }), 1);
    expect(await fleet.inspect.pTTL(`session:${ada.id}`)).to.be.at.most(60_000);
    expect(await ada.status()).to.equal(200);
  });

  it('keeps its streams: a second GET of another principal takes nothing over', async () => {
    const stream = await ada.stream({ node: 0 });
    for (const node of NODES) {
      const url = `${fleet.nodeUrls[node]}/mcp`;
      await expectSessionNotFound(await send(url, { headers: asBob({ Accept: 'text/event-stream' }) }));
    }
    await ada.callTool('test_trigger_tool_change', {}).catch(() => undefined);
    await ada.request('logging/setLevel', { level: 'debug' });
    expect(stream.isOver).to.equal(false);
    stream.close();
  });

  it('keeps its events: a foreign, guessed or forged Last-Event-ID replays nothing of it', async () => {
    const call = await ada.startTool('slow', { ms: 700, steps: 3 }, { progressToken: 'p' });
    await call.answer();
    const ids = call.response.events.map(({ id }) => id).filter((id) => id !== undefined);
    expect(ids.length).to.be.greaterThan(0);
    const first = ids[0] as string;
    // With the session of the one who made them they are good for a replay; this is what Bob is after.
    const own = await ada.stream({ lastEventId: first });
    await own.waitFor((message) => message.result !== undefined, 'result');
    own.close();

    for (const lastEventId of ids) {
      // Bob with Ada's session.
      for (const node of NODES) {
        const headers = asBob({ Accept: 'text/event-stream', 'Last-Event-ID': lastEventId });
        await expectSessionNotFound(await send(`${fleet.nodeUrls[node]}/mcp`, { headers }));
      }
      // Bob with a session of his own: the id means nothing in it.
      const foreign = await send(`${fleet.url}/mcp`, {
        headers: bob.headers({ Accept: 'text/event-stream', 'Last-Event-ID': lastEventId }),
      });
      if (foreign.status === 200) {
        await eventually(() => foreign.isOver || foreign.events.length > 0);
        const seen = JSON.stringify(foreign.events);
        expect(seen).to.not.include('"result"').and.not.include('notifications/progress');
      } else expect(foreign.status).to.be.oneOf([400, 404]);
      foreign.close();
    }
    const forged = [
      '',
      ' ',
      '0',
      '-1',
      '../../session:x',
      `${first}\u00e9`,
      `${first}x`,
      first.replace(/.$/, ''),
      'a'.repeat(5000),
      '*',
      '$',
      '0-0',
    ];
    for (const lastEventId of forged) {
      const headers = bob.headers({ Accept: 'text/event-stream', 'Last-Event-ID': lastEventId });
      const response = await send(`${fleet.url}/mcp`, { headers });
      expect(response.status, JSON.stringify(lastEventId)).to.be.oneOf([200, 400, 404]);
      if (response.status === 200) expect(JSON.stringify(response.events)).to.not.include('"result"');
      response.close();
    }
  });

  it('keeps its questions: an answer that another session sends for them does not arrive', async () => {
    const call = await ada.startTool('test_elicitation', { message: 'secret?' });
    const asked = await call.asked('elicitation/create');
    const forged = { result: { action: 'accept', content: { username: 'forged', email: 'f@f' } } };
    for (const node of NODES) {
      await bob.reply(asked, forged, { node });
      const refused = await postMcp(fleet, { jsonrpc: '2.0', id: asked.id, ...forged }, { node, headers: asBob() });
      await expectRpcError(refused, 404, -32001);
      const anonymous = await postMcp(fleet, { jsonrpc: '2.0', id: asked.id, ...forged }, { node });
      expect(anonymous.status).to.equal(401);
    }
    await bob.notify('notifications/cancelled', { requestId: call.requestId });
    await ada.reply(asked, { result: { action: 'accept', content: { username: 'real', email: 'r@r' } } }, { node: 1 });
    const text = textOf(await call.answer());
    expect(text).to.include('real').and.not.include('forged');
  });

  it('keeps its HTTP+SSE session: neither its stream nor its POST route can be had', async () => {
    const old = await RawSseSession.connect(fleet, { headers: ADA });
    for (const node of NODES) {
      await expectRpcError(await openSse(fleet, `/sse?sessionId=${old.id}`, { node, headers: BOB }), 404);
      await expectRpcError(await postMessage(fleet, old.endpoint, request(1, 'ping'), { node, headers: BOB }), 404);
    }
    // A session of one transport is none of the other.
    await expectSessionNotFound(
      await postMcp(fleet, request(1, 'ping'), { headers: { ...ADA, 'Mcp-Session-Id': old.id } }),
      1,
    );
    await expectRpcError(await openSse(fleet, `/sse?sessionId=${ada.id}`, { headers: ADA }), 404);
    expect(old.stream.isOver).to.equal(false);
    old.stream.close();
  });
});

describe('session ids', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ nodes: 2, env: { MCP_SERVER: 'demo' } });
  });
  after(() => fleet?.stop());

  it('are random UUIDs: no two alike, and no bit of them known before', async () => {
    const ids: string[] = [];
    while (ids.length < 400) {
      const opened = await Promise.all(
        Array.from({ length: 20 }, (_, i) => postMcp(fleet, initialize(NEWEST_REVISION), { node: i % 2 })),
      );
      ids.push(...opened.map(({ headers }) => String(headers['mcp-session-id'])));
    }
    expect(new Set(ids).size).to.equal(ids.length);
    for (const id of ids) expect(id).to.match(UUID);
    // Version and variant apart, each of the 122 bits is one in about half of the ids: 400 throws of a coin stay within
    // 100 of the middle but once in 10^22.
    const bits = ids.map((id) =>
      BigInt(`0x${id.replaceAll('-', '')}`)
        .toString(2)
        .padStart(128, '0'),
    );
    const fixed = new Set([48, 49, 50, 51, 64, 65]);
    for (let bit = 0; bit < 128; bit += 1) {
      const ones = bits.filter((text) => text[bit] === '1').length;
      if (fixed.has(bit)) expect(ones, `bit ${bit}`).to.be.oneOf([0, ids.length]);
      else expect(ones, `bit ${bit}`).to.be.within(100, 300);
    }
  });

  it("are never the client's choice, on either transport: fixation finds no session to sit in", async () => {
    const chosen = randomUUID();
    const header = { 'Mcp-Session-Id': chosen };
    await expectRpcError(await postMcp(fleet, initialize(NEWEST_REVISION), { headers: header }), 400);
    await expectSessionNotFound(await postMcp(fleet, request(1, 'ping'), { headers: header }), 1);
    await expectRpcError(await openSse(fleet, `/sse?sessionId=${chosen}`), 404);
    await expectRpcError(await postMessage(fleet, `/messages?sessionId=${chosen}`, initialize('2024-11-05')), 404);
    const opened = await postMcp(fleet, initialize(NEWEST_REVISION), { headers: { Cookie: `sessionId=${chosen}` } });
    expect(opened.headers['mcp-session-id']).to.match(UUID).and.not.equal(chosen);
    expect(opened.headers).to.not.have.property('set-cookie');
    expect(await fleet.inspect.keys(`*${chosen}*`)).to.deep.equal([]);
  });

  it('of another form are refused without asking the store', async () => {
    const commands = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await fleet.inspect.info('commandstats'))?.[1] ?? 0);
    const odd = [
      'x',
      '*',
      'session:*',
      `${randomUUID()}x`,
      randomUUID().toUpperCase(),
      '../..',
      '{a}',
      'a'.repeat(4000),
      '%00',
      '0',
    ];
    for (const id of odd) {
      await expectSessionNotFound(await postMcp(fleet, request(1, 'ping'), { headers: { 'Mcp-Session-Id': id } }), 1);
      await expectRpcError(await openSse(fleet, `/sse?sessionId=${encodeURIComponent(id)}`), 404);
    }
    // What the fleet asks by its own clock goes on meanwhile; a look-up of sessions is not among it.
    const before = await commands();
    const many = 200;
    for (let i = 0; i < many; i += 1) {
      const response = await postMcp(fleet, request(1, 'ping'), { headers: { 'Mcp-Session-Id': `odd-${i}` } });
      expect(response.status).to.equal(404);
    }
    expect((await commands()) - before).to.be.below(many / 2);
    expect(await fleet.inspect.keys('*odd*')).to.deep.equal([]);
  });
});

describe('anonymous sessions', () => {
  it('stay anonymous on every node: no identity that comes later makes them its own', async () => {
    const fleet = await startFleet({ nodes: 2, env: { MCP_SERVER: 'demo' } });
    try {
      const session = await RawSession.open(fleet);
      const strict = await fleet.addNode({ AUTH_TOKENS: 'ada:token-of-ada-7d1f' });
      const headers = { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH, 'Mcp-Session-Id': session.id };
      const ping = { method: 'POST', body: JSON.stringify(request(1, 'ping')) };
      await expectRpcError(await send(`${strict.url}/mcp`, { ...ping, headers }), 401);
      await expectSessionNotFound(await send(`${strict.url}/mcp`, { ...ping, headers: { ...headers, ...ADA } }), 1);
      for (const node of [0, 1]) expect(await session.status({ node, headers: ADA })).to.equal(200);
    } finally {
      await fleet.stop();
    }
  });
});
