/** Spans of real nodes: what is a child of what, over nodes, eras and deaths, and what is never in them. */
import { expect } from 'chai';
import { createFleet } from '../../src/index.js';
import { returned, untilRunning } from '../cluster/probe-fleet.js';
import { callTool, answer as modernAnswer } from '../modern/modern-client.js';
import { eventually } from '../support/eventually.js';
import { initialize, notification, request } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { RawSseSession } from '../support/raw-sse-client.js';
import { named, newTrace, type RecordedSpan, startTracedFleet, type TracedFleet } from './traced-fleet.js';

const KIND = { server: 1, client: 2, producer: 3, consumer: 4 };
const ERROR = 2;
const NODE_LEASE_MS = 2000;
const ACCEPT = { result: { action: 'accept', content: { word: 'w' } } };

describe('tracing', function () {
  this.timeout(60_000);
  let traced: TracedFleet;
  before(async () => {
    traced = await startTracedFleet({ NODE_LEASE_MS: `${NODE_LEASE_MS}`, AUTH_TOKENS: 'alice:a-token-of-alice' });
  });
  after(() => traced?.stop());

  const headers = { Authorization: 'Bearer a-token-of-alice' };
  const open = (node?: number): Promise<RawSession> =>
    RawSession.open(traced.fleet, { headers, capabilities: { elicitation: {} }, ...(node !== undefined && { node }) });
  const nodeOf = (span: RecordedSpan): unknown => span.attributes['anynode.node.id'];
  const idOf = (node: number): string => (traced.fleet.nodes[node] as NodeProcess).nodeId;

  for (const [where, meta, header] of [
    ['the message', true, false],
    ['the headers', false, true],
    ['both, of which the message wins', true, true],
  ] as const) {
    for (const era of ['legacy', 'modern'] as const) {
      it(`continues the trace of ${where} (${era}), into the spans of the handler`, async () => {
        const [own, other] = [newTrace(), newTrace()];
        const expected = meta ? own : other;
        const params = meta ? { _meta: { traceparent: own.traceparent, baggage: 'user=alice' } } : {};
        const more = { ...headers, ...(header && { traceparent: other.traceparent, baggage: 'user=alice' }) };
        const result =
          era === 'legacy'
            ? await (await open()).request('tools/call', { name: 'work', arguments: {}, ...params }, { headers: more })
            : await callTool(traced.fleet, 'work', {}, { headers: more, ...(meta && { meta: params._meta ?? {} }) });
        expect(returned(result)).to.deep.equal({ traceId: expected.traceId, user: 'alice' });
        const spans = await traced.trace(expected.traceId, ['tools/call work', 'own work']);
        const server = named(spans, 'tools/call work');
        expect([server.kind, server.parentId]).to.deep.equal([KIND.server, expected.spanId]);
        expect(server.links).to.deep.equal(meta && header ? [other.spanId] : []);
        expect(named(spans, 'own work').parentId).to.equal(server.spanId);
        expect(server.attributes).to.include({
          'mcp.method.name': 'tools/call',
          'gen_ai.tool.name': 'work',
          'gen_ai.operation.name': 'execute_tool',
          'mcp.protocol.version': era === 'legacy' ? '2025-11-25' : '2026-07-28',
        });
        expect('mcp.session.id' in server.attributes).to.equal(era === 'legacy');
      });
    }
  }

  it('begins a trace where none is given, or a malformed one', async () => {
    const session = await open();
    const ids = [];
    for (const traceparent of [undefined, 'nonsense', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, 7]) {
      const { traceId } = returned(
        await session.request('tools/call', { name: 'work', arguments: {}, _meta: { traceparent } }),
      );
      const spans = await traced.trace(traceId, ['tools/call work']);
      expect(named(spans, 'tools/call work').parentId).to.equal(undefined);
      ids.push(traceId);
    }
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('records nothing of a trace that its beginner does not sample, and passes the decision on', async () => {
    const session = await open(0);
    const own = newTrace('00');
    const params = { name: 'ask_within', arguments: {}, _meta: { traceparent: own.traceparent } };
    const call = await session.start('tools/call', params, { node: 0 });
    const asked = await call.asked('elicitation/create');
    expect(asked.params._meta.traceparent).to.match(new RegExp(`^00-${own.traceId}-[0-9a-f]{16}-00$`));
    await session.reply(asked, ACCEPT, { node: 1 });
    await call.answer();
    expect(traced.spans().filter(({ traceId }) => traceId === own.traceId)).to.deep.equal([]);
  });

  it('says of failures that they are, and not what was said', async () => {
    const session = await open();
    const own = newTrace();
    const _meta = { traceparent: own.traceparent };
    await session.request('tools/call', { name: 'fail', arguments: {}, _meta });
    await session.request('resources/read', { uri: 'none://such', _meta });
    await modernAnswer(traced.fleet, 'tools/call', { name: 'fail', arguments: {} }, { headers, meta: _meta });
    const spans = await eventually(() => {
      const found = traced.spans().filter(({ traceId }) => traceId === own.traceId);
      expect(found).to.have.length(3);
      return found;
    });
    const failures = spans.map(({ name, status, attributes }) => [name, status.code, attributes['error.type']]);
    expect(failures).to.deep.include(['tools/call fail', ERROR, 'tool_error']);
    expect(failures.filter(([name]) => name === 'tools/call fail')).to.have.length(2);
    const read = named(spans, 'resources/read');
    expect([read.status.code, read.attributes['error.type']]).to.deep.equal([
      ERROR,
      read.attributes['rpc.response.status_code'],
    ]);
  });

  const question = async (given: Record<string, unknown>, answerHeaders: Record<string, string> = {}) => {
    const session = await open(0);
    const call = await session.start('tools/call', { name: 'ask_within', arguments: {}, ...given }, { node: 0 });
    const asked = await call.asked('elicitation/create');
    await session.reply(asked, ACCEPT, { node: 1, headers: answerHeaders });
    await call.answer();
    const [, traceId = '', spanId = ''] = String(asked.params._meta.traceparent).split('-');
    const names = ['tools/call ask_within', 'own question', 'elicitation/create', 'accept answer', 'deliver answer'];
    return { asked, traceId, spanId, spans: await traced.trace(traceId, names) };
  };

  it('is one over both nodes of a question, from a client that knows nothing of traces', async () => {
    const { spanId, spans } = await question({});
    const [server, own, asks, accepted, delivered] = [
      'tools/call ask_within',
      'own question',
      'elicitation/create',
      'accept answer',
      'deliver answer',
    ].map((name) => named(spans, name)) as [RecordedSpan, RecordedSpan, RecordedSpan, RecordedSpan, RecordedSpan];
    expect([own.parentId, asks.parentId, asks.spanId]).to.deep.equal([server.spanId, own.spanId, spanId]);
    expect([asks.kind, accepted.kind, delivered.kind]).to.deep.equal([KIND.client, KIND.producer, KIND.consumer]);
    expect([accepted.parentId, delivered.parentId]).to.deep.equal([asks.spanId, accepted.spanId]);
    expect([nodeOf(asks), nodeOf(accepted), nodeOf(delivered)]).to.deep.equal([idOf(0), idOf(1), idOf(0)]);
    expect(accepted.pid).to.not.equal(server.pid);
    expect([accepted.attributes['anynode.relay.outcome'], delivered.attributes['anynode.relay.outcome']]).to.deep.equal(
      ['posted', 'delivered'],
    );
  });

  it('is one over both nodes where the client goes on with it by the headers of its answer', async () => {
    const own = newTrace();
    const { spans } = await question(
      { _meta: { traceparent: own.traceparent } },
      { traceparent: `00-${own.traceId}-${'ab'.repeat(8)}-01` },
    );
    expect(spans[0]?.traceId).to.equal(own.traceId);
    const accepted = named(spans, 'accept answer');
    expect(accepted.parentId).to.equal('ab'.repeat(8));
    expect(accepted.links).to.deep.equal([named(spans, 'elicitation/create').spanId]);
  });

  it('stays one where the client answers in another trace, which is linked', async () => {
    const foreign = newTrace();
    const { spans } = await question({}, { traceparent: foreign.traceparent });
    const accepted = named(spans, 'accept answer');
    expect([accepted.parentId, ...accepted.linkedTraces]).to.deep.equal([
      named(spans, 'elicitation/create').spanId,
      foreign.traceId,
    ]);
  });

  it('is one over both nodes of a question over HTTP+SSE', async () => {
    const session = await RawSseSession.connect(traced.fleet, { node: 0, headers });
    const post = (message: unknown, node: number): Promise<void> => session.post(message, { node, headers });
    await post(initialize('2024-11-05', { elicitation: {} }), 1);
    await session.answerTo('init');
    await post(notification('notifications/initialized'), 2);
    const own = newTrace();
    const _meta = { traceparent: own.traceparent };
    await post(request(7, 'tools/call', { name: 'ask_within', arguments: {}, _meta }), 1);
    const asked = await session.asked('elicitation/create');
    await post({ jsonrpc: '2.0', id: asked.id, ...ACCEPT }, 2);
    await session.answerTo(7);
    const names = ['tools/call ask_within', 'elicitation/create', 'accept answer', 'deliver answer'];
    const spans = await traced.trace(own.traceId, names);
    expect(names.map((name) => nodeOf(named(spans, name)))).to.deep.equal([idOf(1), idOf(1), idOf(2), idOf(1)]);
    session.stream.close();
  });

  it('is one for each request of a batch', async () => {
    const session = await RawSession.open(traced.fleet, { headers, revision: '2025-03-26' });
    const traces = [newTrace(), newTrace()];
    const batch = traces.map(({ traceparent }, i) =>
      request(i, 'tools/call', { name: 'work', arguments: {}, _meta: { traceparent } }),
    );
    const response = await session.post(batch);
    expect(response.status).to.equal(200);
    await response.text();
    for (const { traceId, spanId } of traces) {
      const spans = await traced.trace(traceId, ['tools/call work', 'own work']);
      expect(named(spans, 'tools/call work').parentId).to.equal(spanId);
      expect(spans).to.have.length(2);
    }
  });

  it('ends with a cancelled call, and with the question that it was waiting for', async () => {
    const session = await open(0);
    const own = newTrace();
    const params = { name: 'ask_within', arguments: {}, _meta: { traceparent: own.traceparent } };
    const call = await session.start('tools/call', params, { node: 0, id: 77 });
    await call.asked('elicitation/create');
    await session.notify('notifications/cancelled', { requestId: 77 }, { node: 1 });
    const spans = await traced.trace(own.traceId, ['tools/call ask_within', 'elicitation/create', 'own question']);
    for (const name of ['tools/call ask_within', 'elicitation/create']) {
      const { status, attributes } = named(spans, name);
      expect([name, status.code, attributes['error.type']]).to.deep.equal([name, ERROR, 'cancelled']);
    }
  });

  it('goes with the answer to a question of a process that serves nobody', async () => {
    const worker = await createFleet({ redisUrl: traced.fleet.redis.url, logLevel: 'silent' });
    try {
      const session = await open(0);
      const stream = await session.stream({ node: 0 });
      const asking = worker.session(session.id).request('elicitation/create', { message: '?', requestedSchema: {} });
      const asked = await stream.waitFor(({ method }) => method === 'elicitation/create', 'the question');
      // It records nothing itself, and nobody gave it a trace.
      expect(asked.params._meta).to.equal(undefined);
      const own = newTrace();
      await session.reply(asked, ACCEPT, { node: 1, headers: { traceparent: own.traceparent } });
      expect(await asking).to.deep.equal(ACCEPT.result);
      const [accepted] = await traced.trace(own.traceId, ['accept answer']);
      expect([accepted?.parentId, accepted?.attributes['anynode.relay.outcome']]).to.deep.equal([own.spanId, 'posted']);
      stream.close();
    } finally {
      await worker.close();
    }
  });

  it('goes on with a call that a survivor runs again', async () => {
    const session = await open(1);
    const begin = async (given: object) => {
      const key = `key-${Math.random()}`;
      const params = { name: 'wait_repeatably', arguments: { key }, ...given };
      const call = await session.start('tools/call', params, { node: 0, headers });
      await call.response.waitForEvent(({ id }) => id !== undefined, 'an event with an id');
      await untilRunning(session, key, { node: 1 });
      return key;
    };
    const own = newTrace();
    const header = newTrace();
    const keys = [await begin({ _meta: { traceparent: own.traceparent } }), await begin({})];
    const session2 = await open(1);
    const params = { name: 'wait_for', arguments: { key: 'never' } };
    const call = await session2.start('tools/call', params, {
      node: 0,
      headers: { ...headers, traceparent: header.traceparent },
    });
    await call.response.waitForEvent(({ id }) => id !== undefined, 'an event with an id');
    await untilRunning(session2, 'never', { node: 1 });
    const before = traced.spans().length;
    const dead = idOf(0);
    await traced.fleet.kill(traced.fleet.nodes[0] as NodeProcess);
    for (const key of keys) {
      const done = async () => returned(await session.callTool('recall', { key: `${key}:started` })).value === 2;
      await eventually(done, { what: 'the second run', deadlineMs: 30_000 });
      await session.callTool('remember', { key, value: 'by a survivor' });
    }
    const recovered = await eventually(
      () => {
        const found = traced
          .spans()
          .slice(before)
          .filter(({ attributes }) => attributes['anynode.recovered']);
        expect(found).to.have.length(3);
        return found;
      },
      { deadlineMs: 30_000 },
    );
    expect(recovered.map(nodeOf)).to.not.include(dead);
    const again = recovered.find(({ traceId }) => traceId === own.traceId) as RecordedSpan;
    expect([again.name, again.parentId, again.links.length]).to.deep.equal([
      'tools/call wait_repeatably',
      own.spanId,
      1,
    ]);
    const given = recovered.find(({ traceId }) => traceId === header.traceId) as RecordedSpan;
    expect([given.name, given.status.code, given.attributes['error.type']]).to.deep.equal([
      'tools/call wait_for',
      ERROR,
      'node_lost',
    ]);
    // The third began its trace on the node that is gone, whose span was never finished: it is the parent all the same.
    const begun = recovered.find((span) => span !== again && span !== given) as RecordedSpan;
    expect([begun.parentId !== undefined, begun.links]).to.deep.equal([true, []]);
    await traced.fleet.addNode();
  });

  it('names what the conventions name, and shows neither session ids, tokens, arguments nor messages', async () => {
    const session = await open();
    const own = newTrace();
    const _meta = { traceparent: own.traceparent };
    const secret = 'an-argument-nobody-may-read';
    await session.request('tools/call', { name: 'remember', arguments: { key: secret, value: secret }, _meta });
    await session.request('resources/read', { uri: `secret://${secret}`, _meta });
    await session.request('made/up', { _meta });
    await session.request('tools/call', { name: `${secret} <with> odd letters`, arguments: {}, _meta });
    const spans = await eventually(() => {
      const found = traced.spans().filter(({ traceId }) => traceId === own.traceId);
      expect(found).to.have.length(4);
      return found;
    });
    expect(spans.map(({ name }) => name).sort()).to.deep.equal([
      '_OTHER',
      'resources/read',
      'tools/call',
      'tools/call remember',
    ]);
    const text = traced.recorded();
    for (const hidden of [session.id, 'a-token-of-alice', secret, 'hunter2', 'made/up']) {
      expect(text.includes(hidden), hidden).to.equal(false);
    }
    // No session id of any test, by its form.
    expect(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/.test(requestIdsRemoved(text))).to.equal(
      false,
    );
  });
});

/** Ids of requests are the client's own; the tests make UUIDs of them. */
function requestIdsRemoved(text: string): string {
  return text.replace(/"jsonrpc\.request\.id":"[^"]*"/g, '');
}
