/** Bodies that are too much in any way, one at a time and many at once; and what an address may hold on one node. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { ask } from '../modern/modern-client.js';
import { within } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { initialize, NEWEST_REVISION, request } from '../support/json-rpc.js';
import { type NodeProcess, startNode } from '../support/node-process.js';
import { ACCEPT_BOTH, postMcp, RawSession, type Target } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { openSse } from '../support/raw-sse-client.js';
import { expectTooMany, refused, timesOf } from './limited-fleet.js';

const DEPTH = 20;
const ELEMENTS = 500;
const BATCH = 10;
const BODY = 64 * 1024;
/** Of a whole request. It is looked at every quarter of it. */
const TIMEOUT_MS = 1200;

describe('a node that is sent too much', () => {
  let node: NodeProcess;
  let target: Target;
  before(async () => {
    node = await startNode({
      MCP_SERVER: 'everything',
      MAX_JSON_DEPTH: `${DEPTH}`,
      MAX_JSON_ELEMENTS: `${ELEMENTS}`,
      MAX_BATCH_LENGTH: `${BATCH}`,
      MAX_BODY_BYTES: `${BODY}`,
      REQUEST_TIMEOUT_MS: `${TIMEOUT_MS}`,
      MAX_SESSIONS_PER_ADDRESS: '2',
      MAX_STREAMS_PER_ADDRESS: '2',
      TRUSTED_PROXIES: '1',
      DRAIN_DELAY_MS: '0',
    });
    target = { url: node.url, nodeUrls: [node.url] };
  });
  after(() => node?.stop());

  const headers = { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH };
  const post = (body: string): Promise<RawResponse> => send(`${node.url}/mcp`, { method: 'POST', headers, body });
  const withParams = (params: string): string => `{"jsonrpc":"2.0","id":1,"method":"ping","params":${params}}`;
  const nested = (depth: number): string => withParams(`{"x":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}`);
  const list = (items: number): string => withParams(`{"x":[${timesOf(items).join(',')}]}`);
  /** Every body is refused for what it is, before anybody asks for its session. */
  const NO_SESSION = -32000;

  it('takes a body of just the depth, the elements and the length that it says, and refuses one more', async () => {
    await expectRpcError(await post(nested(DEPTH)), 400, NO_SESSION, 1);
    const deep = await expectRpcError(await post(nested(DEPTH + 1)), 400, -32600, null);
    expect(deep.error?.message).to.match(/20 deep/);
    await expectRpcError(await post(list(ELEMENTS - 10)), 400, NO_SESSION, 1);
    const wide = await expectRpcError(await post(list(ELEMENTS)), 400, -32600, null);
    expect(wide.error?.message).to.match(/500 elements/);
    const batch = (length: number) => JSON.stringify(timesOf(length).map((id) => request(id, 'ping')));
    await expectRpcError(await post(batch(BATCH)), 400, NO_SESSION, null);
    const long = await expectRpcError(await post(batch(BATCH + 1)), 400, -32600, null);
    expect(long.error?.message).to.match(/10 messages/);
    await expectRpcError(await post(withParams(JSON.stringify({ x: 'x'.repeat(BODY) }))), 413);
    const counts = await Promise.all(
      ['body_depth', 'body_elements', 'batch_length', 'body_bytes'].map((reason) => refused(target, reason)),
    );
    expect(counts).to.deep.equal([1, 1, 1, 1]);
  });

  it('refuses a message with a member given twice, in both eras', async () => {
    const twice = '{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/call","params":{}}';
    const { error } = await expectRpcError(await post(twice), 400, -32600, null);
    expect(error?.message).to.match(/given twice/);
    const modern = JSON.stringify(request(1, 'tools/list', {})).replace('{', '{"id":0,');
    const response = await send(`${node.url}/mcp`, {
      method: 'POST',
      headers: { ...headers, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' },
      body: modern,
    });
    await expectRpcError(response, 400, -32600, null);
  });

  it('stays well under many of them at once, and serves others meanwhile', async () => {
    const session = await RawSession.open(target, { headers: { 'X-Forwarded-For': '192.0.2.200' } });
    const bodies = [
      '['.repeat(BODY),
      `[${'[],'.repeat(BODY / 4)}[]]`,
      `{"a":${'"\\\\'.repeat(BODY / 4)}`,
      withParams(`{${timesOf(4000).map((i) => `"k${i}":{}`)}}`),
      '"'.repeat(BODY),
      '\\'.repeat(BODY),
    ];
    const flood = timesOf(120).map((i) => post(bodies[i % bodies.length] as string));
    const others = timesOf(20).map(() => session.status());
    for (const response of await Promise.all(flood)) await expectRpcError(response, 400, [-32600, -32700], null);
    expect(await Promise.all(others)).to.deep.equal(timesOf(20).map(() => 200));
    await session.delete();
  });

  describe('slowly', () => {
    const sockets: Socket[] = [];
    after(() => {
      for (const socket of sockets) socket.destroy();
    });

    /** Sends a head that promises more, then a byte now and then; resolves with what came back when the node closed. */
    const trickle = async (head: string): Promise<string> => {
      const socket = connect(node.port, '127.0.0.1');
      sockets.push(socket);
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.on('error', () => {});
      const closed = once(socket, 'close');
      socket.write(head);
      const dripping = setInterval(() => socket.writable && socket.write(' '), 100);
      try {
        await within(closed, 'the end of a slow request', TIMEOUT_MS + 5000);
      } finally {
        clearInterval(dripping);
      }
      return answer;
    };
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: ${ACCEPT_BOTH}\r\n`;

    it('gets 408 and a closed connection: a body, chunks, or headers that never end', async () => {
      const before = await refused(target, 'request_time');
      const slow = [
        `${head}Content-Length: 5000\r\n\r\n{`,
        `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
        `${head}X-A: `,
      ];
      // The second one breaks the framing of chunks as soon as it drips, which is refused even sooner.
      const [body, chunks, headersOnly] = await Promise.all(slow.map(trickle));
      for (const answer of [body, headersOnly]) {
        expect(answer).to.match(/^HTTP\/1\.1 408 /);
        expect(answer).to.match(/"jsonrpc":"2\.0","id":null,"error":\{"code":-32600/);
      }
      expect(chunks).to.match(/^HTTP\/1\.1 4\d\d /);
      expect((await refused(target, 'request_time')) - before).to.be.at.least(2);
    });

    it('costs nobody else anything: many trickle, others are served', async () => {
      const session = await RawSession.open(target, { headers: { 'X-Forwarded-For': '192.0.2.201' } });
      const slow = timesOf(50).map(() => trickle(`${head}Content-Length: 5000\r\n\r\n{`));
      for (const _ of timesOf(5)) {
        expect(await session.status()).to.equal(200);
        await pause(20);
      }
      for (const answer of await Promise.all(slow)) expect(answer).to.match(/^HTTP\/1\.1 408 /);
      await session.delete();
    });
  });

  it('lets an address have so many sessions and streams, whoever asks, and another one its own', async () => {
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
    const one = from('192.0.2.1');
    const open = (hop: typeof one) => postMcp(target, initialize(NEWEST_REVISION), hop);
    for (const _ of timesOf(2)) expect((await open(one)).status).to.equal(200);
    await expectTooMany(await open(one), 'sessions_address', 'init');
    const other = await RawSession.open(target, from('192.0.2.2'));
    const listen = (hop: typeof one) =>
      ask(target, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { ...hop, id: 'l' });
    const streams = [await listen(one), await listen(one)];
    expect(streams.map(({ status }) => status)).to.deep.equal([200, 200]);
    await expectTooMany(await listen(one), 'streams_address', 'l');
    await expectTooMany(await openSse(target, '/sse', one), 'streams_address');
    const stream = await other.stream();
    for (const opened of [...streams, stream]) opened.close();
  });
});
