/** The adapter to OpenTelemetry: nothing without an SDK, and what is whose parent with one; and the example of the docs. */
import { fileURLToPath } from 'node:url';
import { context as contexts, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import type { SpanStart } from '../../src/core/tracing.js';
import { createOtelTracing } from '../../src/tracing/otel.js';
import { startNode } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';

const context = (digit: string, flags = 1) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16), flags });

describe('spans by OpenTelemetry', () => {
  const tracing = createOtelTracing();
  let asked = 0;
  const request = (more: Partial<SpanStart> = {}): SpanStart => ({
    name: 'tools/list',
    kind: 'server',
    attributes: () => {
      asked += 1;
      return { 'mcp.method.name': 'tools/list' };
    },
    ...more,
  });
  beforeEach(() => {
    asked = 0;
  });

  it('are none while no SDK is registered: a context that came goes on as it is', async () => {
    expect(tracing.active).to.equal(false);
    expect(tracing.start(request())).to.equal(undefined);
    const came = { ...context('a'), state: 'x=1', baggage: 'y=2' };
    for (const given of [{ parent: came }, { ambient: came }]) {
      const span = tracing.start(request(given));
      expect(span?.context).to.equal(came);
      expect(span?.run(() => 'ran')).to.equal('ran');
      span?.end();
    }
    expect(asked).to.equal(0);
    await tracing.flush();
  });

  describe('once an SDK is registered, however late', () => {
    const exporter = new InMemorySpanExporter();
    before(() => {
      contexts.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    });
    // Other suites of the process have their nodes without one.
    after(() => {
      trace.disable();
      contexts.disable();
    });
    beforeEach(() => exporter.reset());

    const finished = (given: Partial<SpanStart>) => {
      tracing.start(request(given))?.end();
      const span = exporter.getFinishedSpans().at(-1);
      const { spanId, traceId } = span?.parentSpanContext ?? {};
      return { parent: spanId && { spanId, traceId }, links: span?.links.map((link) => link.context.spanId) };
    };
    const ids = ({ traceId, spanId }: ReturnType<typeof context>) => ({ traceId, spanId });

    it('are recorded, by the tracing that was there before', () => {
      expect(tracing.active).to.equal(true);
      expect(finished({})).to.deep.equal({ parent: undefined, links: [] });
      expect(asked).to.equal(1);
    });

    it('are children of the message, then of the span that is active, then of the headers; the other one is linked', () => {
      const [own, ambient, link] = [context('a'), context('b'), context('c')];
      expect(finished({ parent: own, ambient, link })).to.deep.equal({
        parent: ids(own),
        links: [ambient.spanId, link.spanId],
      });
      expect(finished({ ambient })).to.deep.equal({ parent: ids(ambient), links: [] });
      trace.getTracer('another').startActiveSpan('http', (http) => {
        const active = http.spanContext();
        const { traceId, spanId } = active;
        expect(finished({ ambient })).to.deep.equal({ parent: { spanId, traceId }, links: [] });
        expect(finished({ parent: own, ambient })).to.deep.equal({ parent: ids(own), links: [active.spanId] });
      });
    });

    it('are not described where they are not sampled', () => {
      const span = tracing.start(request({ parent: context('a', 0) }));
      expect([span?.recording, span?.context.flags, span?.context.traceId, asked]).to.deep.equal([
        false,
        0,
        context('a').traceId,
        0,
      ]);
      span?.end({ type: 'cancelled' });
      expect(exporter.getFinishedSpans()).to.deep.equal([]);
    });

    it('end once', () => {
      const span = tracing.start(request());
      span?.end();
      span?.end({ type: 'abandoned' });
      expect(exporter.getFinishedSpans().map(({ attributes }) => attributes)).to.deep.equal([
        { 'mcp.method.name': 'tools/list' },
      ]);
    });
  });

  it('are had by examples/otel.mjs, the last ones sent on when the node ends', async function () {
    this.timeout(60_000);
    const example = fileURLToPath(new URL('../../examples/otel.mjs', import.meta.url));
    const node = await startNode({ NODE_OPTIONS: `--import ${example}`, DRAIN_DELAY_MS: '0' });
    const session = await RawSession.open({ url: node.url, nodeUrls: [node.url] });
    await session.request('tools/list');
    expect((await node.stop()).code).to.equal(0);
    const spans = node.raw.filter((line) => line.includes('"mcp.method.name"')).map((line) => JSON.parse(line).name);
    expect(spans).to.deep.equal(['initialize', 'notifications/initialized', 'tools/list']);
  });
});
