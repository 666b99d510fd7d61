/** The lines that a node writes about requests: at which level, with which ids, and never with anything else. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { answer } from '../modern/modern-client.js';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import type { LogLine, NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { startRedis } from '../support/redis.js';
import { newTrace } from './traced-fleet.js';

const PROBE = fileURLToPath(new URL('../support/servers/probe-v2.mjs', import.meta.url));
const TOKEN = 'a-token-of-alice';
const headers = { Authorization: `Bearer ${TOKEN}` };
const SECRET = 'an-argument-nobody-may-read';

const requestLines = (node: NodeProcess): LogLine[] => node.log.filter(({ msg }) => msg === 'request');
const lineOf = (node: NodeProcess, requestId: string): Promise<LogLine> =>
  eventually(() => {
    const line = requestLines(node).find((one) => one.requestId === requestId);
    if (!line) throw new Error(`no line for ${requestId}: ${JSON.stringify(requestLines(node).slice(-5))}`);
    return line;
  });

describe('the log of requests', function () {
  this.timeout(60_000);
  let fleet: Fleet;
  let node: NodeProcess;
  before(async () => {
    const env = { MCP_SERVER: PROBE, LOG_LEVEL: 'debug', AUTH_TOKENS: `alice:${TOKEN}` };
    fleet = await startFleet({ nodes: 2, env });
    node = fleet.nodes[0] as NodeProcess;
  });
  after(() => fleet?.stop());

  it('has a line for each request at debug, with ids that lead to its session and its trace', async () => {
    const session = await RawSession.open(fleet, { headers, node: 0 });
    for (const era of ['legacy', 'modern'] as const) {
      const { traceId, traceparent } = newTrace();
      const requestId = randomUUID();
      const more = { ...headers, 'X-Request-Id': requestId };
      if (era === 'legacy') {
        const params = { name: 'remember', arguments: { key: SECRET, value: SECRET }, _meta: { traceparent } };
        await session.request('tools/call', params, { node: 0, headers: more });
      } else {
        await answer(fleet, 'tools/list', {}, { node: 0, headers: more, meta: { traceparent } });
      }
      const { time, durationMs, session: shown, spanId, ...line } = await lineOf(node, requestId);
      expect(line).to.deep.equal({
        level: 'debug',
        nodeId: node.nodeId,
        msg: 'request',
        requestId,
        traceId,
        era,
        method: era === 'legacy' ? 'tools/call' : 'tools/list',
        http: 'POST',
        route: '/mcp',
        status: 200,
      });
      expect(durationMs).to.be.a('number').within(0, 60_000);
      expect(spanId).to.match(/^[0-9a-f]{16}$/);
      if (era === 'legacy') expect(shown).to.match(/^#[0-9a-f]{10}$/);
      else expect(shown).to.equal(undefined);
    }
    const shown = new Set(
      requestLines(node)
        .filter(({ session: one }) => one !== undefined)
        .map(({ session: one }) => one),
    );
    expect(shown.size, 'one session, one name').to.equal(1);
  });

  it('joins the nodes that a question and its answer went over, without anybody who records', async () => {
    const session = await RawSession.open(fleet, { headers, node: 0, capabilities: { elicitation: {} } });
    const { traceId, traceparent } = newTrace();
    const params = { name: 'ask', arguments: { messages: ['?'] }, _meta: { traceparent } };
    const call = await session.start('tools/call', params, { node: 0 });
    const requestId = randomUUID();
    const result = { result: { action: 'accept', content: { word: 'w' } } };
    await session.reply(await call.asked('elicitation/create'), result, {
      node: 1,
      headers: { 'X-Request-Id': requestId },
    });
    await call.answer();
    const line = await lineOf(fleet.nodes[1] as NodeProcess, requestId);
    expect(line).to.include({ traceId, method: 'answer', status: 202 });
  });

  it('returns the id of a request where its form is safe, and gives it one of its own where it is not', async () => {
    const session = await RawSession.open(fleet, { headers, node: 0 });
    const idFor = async (given: string | undefined): Promise<string> => {
      const more = { ...headers, ...session.headers(), ...(given !== undefined && { 'X-Request-Id': given }) };
      const response = await send(`${node.url}/mcp`, { method: 'DELETE', headers: { ...more, 'Mcp-Session-Id': 'x' } });
      await response.text();
      return String(response.headers['x-request-id']);
    };
    for (const safe of ['a', 'Root=1-67891233-abcdef012345678912345678', randomUUID()]) {
      expect(await idFor(safe)).to.equal(safe);
    }
    for (const unsafe of [undefined, '', 'with space', '<script>', 'x'.repeat(129), 'a"b']) {
      const id = await idFor(unsafe);
      expect(id).to.not.equal(unsafe);
      expect(id).to.match(/^[\w-]{8}-[0-9a-z]+$/);
      expect((await lineOf(node, id)).status).to.equal(404);
    }
    const posing = await send(`${node.url}/mcp`, {
      method: 'DELETE',
      headers: { ...session.headers(), 'X-Request-Id': session.id },
    });
    await posing.text();
    expect(posing.headers['x-request-id']).to.not.equal(session.id);
  });

  it('tells refusals by their status, and an unknown path or method by no word of the client', async () => {
    const session = await RawSession.open(fleet, { headers, node: 0 });
    const id = randomUUID();
    const refused = await send(`${node.url}/mcp?token=${SECRET}`, { headers: { 'X-Request-Id': id, Host: 'evil' } });
    await refused.text();
    expect(await lineOf(node, id)).to.include({ status: 403, route: '/mcp', http: 'GET' });
    const unknown = randomUUID();
    const nowhere = await send(`${node.url}/${SECRET}`, { headers: { ...headers, 'X-Request-Id': unknown } });
    await nowhere.text();
    expect(await lineOf(node, unknown)).to.include({ status: 404, route: 'other' });
    const odd = randomUUID();
    await session.request(`made/${SECRET}`, {}, { node: 0, headers: { 'X-Request-Id': odd } });
    expect(await lineOf(node, odd)).to.include({ status: 200, method: 'other' });
  });

  it('shows neither session ids, nor tokens, nor arguments', async () => {
    const session = await RawSession.open(fleet, { headers, node: 0 });
    const result = await session.callTool('remember', { key: SECRET, value: SECRET }, { node: 0 });
    expect(result.error).to.equal(undefined);
    await session.delete({ node: 0 });
    await eventually(() => expect(requestLines(node).at(-1)).to.include({ method: 'DELETE' }));
    const text = fleet.nodes.flatMap(({ raw }) => raw).join('\n');
    for (const hidden of [SECRET, TOKEN, session.id]) expect(text.includes(hidden), hidden).to.equal(false);
  });
});

describe('an error logged within a request', function () {
  this.timeout(60_000);

  it('has the ids of the request, its session and its trace', async () => {
    const module = fileURLToPath(new URL('./servers/breaking.mjs', import.meta.url));
    const fleet = await startFleet({ nodes: 1, env: { MCP_SERVER: module, LOG_LEVEL: 'error' } });
    try {
      const session = await RawSession.open(fleet);
      const { traceId, spanId, traceparent } = newTrace();
      const more = { 'X-Request-Id': 'breaks' };
      const answered = await session.request('tools/list', { _meta: { traceparent } }, { headers: more });
      expect(answered.error?.code).to.equal(-32603);
      const log = fleet.nodes[0]?.log ?? [];
      const line = await eventually(() => log.find(({ msg }) => msg === 'exchange: no server') ?? false);
      expect(line).to.include({ level: 'error', requestId: 'breaks', traceId, spanId });
      expect(line.session).to.match(/^#[0-9a-f]{10}$/);
    } finally {
      await fleet.stop();
    }
  });
});

describe('the log of requests at info', function () {
  this.timeout(60_000);

  it('has no line for those that were served, nor for each that the store was away for', async () => {
    const redis = await startRedis();
    const fleet = await startFleet({ nodes: 1, redis, env: { MCP_SERVER: PROBE } });
    try {
      const node = fleet.nodes[0] as NodeProcess;
      const session = await RawSession.open(fleet);
      const fine = await session.post(
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { headers: { 'X-Request-Id': 'fine' } },
      );
      expect([fine.status, fine.headers['x-request-id']]).to.deep.equal([200, 'fine']);
      expect((await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).headers['x-request-id']).to.equal(
        undefined,
      );
      await redis.stop();
      const failed = await session.post(
        { jsonrpc: '2.0', id: 2, method: 'ping' },
        { headers: { 'X-Request-Id': 'gone' } },
      );
      expect(failed.status).to.equal(503);
      const unready = await send(`${node.url}/readyz`, { headers: { 'X-Request-Id': 'probe' } });
      expect(unready.status).to.equal(503);
      await fleet.stop();
      expect(requestLines(node), 'said once by the connection, and not by every request').to.deep.equal([]);
      expect(node.log.filter(({ msg }) => msg === 'redis: out of reach')).to.have.length(1);
    } finally {
      await fleet.stop();
      await redis.stop();
    }
  });
});
