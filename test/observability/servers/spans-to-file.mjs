// Loaded into a node by `--import`: writes each finished span as a line of JSON to the file that SPAN_FILE names.
import { appendFileSync } from 'node:fs';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      const line = {
        pid: process.pid,
        name: span.name,
        kind: span.kind,
        traceId,
        spanId,
        parentId: span.parentSpanContext?.spanId,
        links: span.links.map((link) => link.context.spanId),
        linkedTraces: span.links.map((link) => link.context.traceId),
        status: span.status,
        attributes: span.attributes,
      };
      // Synchronous: a node that is killed has written what it finished.
      appendFileSync(process.env.SPAN_FILE, `${JSON.stringify(line)}\n`);
    }
    done({ code: 0 });
  },
  async shutdown() {},
};

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
