// Traces of a node, by OpenTelemetry: an SDK, loaded before anything else. The node itself knows the API alone.
//
//   node --import ./examples/otel.mjs dist/main.js                                     # spans as text on stderr
//
//   npm install @opentelemetry/exporter-trace-otlp-http
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 node --import ./examples/otel.mjs dist/main.js    # to a collector
//
// In a project of your own: npm install @opentelemetry/api @opentelemetry/sdk-trace-base @opentelemetry/context-async-hooks
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

// Without a context manager spans of your handlers would begin traces of their own.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

// The sampler is told by the usual variables: OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(await createExporter())] }),
);
// No handler of SIGTERM here: a node that ends in order has its spans sent on as the last thing it does.

async function createExporter() {
  if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    return new OTLPTraceExporter();
  }
  return {
    export(spans, done) {
      for (const span of spans) {
        const { traceId, spanId } = span.spanContext();
        const line = { traceId, spanId, parent: span.parentSpanContext?.spanId, name: span.name, ...span.attributes };
        // Not on stdout: that is the log.
        process.stderr.write(`${JSON.stringify(line)}\n`);
      }
      done({ code: 0 });
    },
    async shutdown() {},
  };
}
