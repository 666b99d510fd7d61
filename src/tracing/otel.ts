/**
 * Spans by OpenTelemetry, through its API alone: whoever runs a node registers an SDK (`node --import ./otel.mjs`), and
 * until somebody does, everything here comes down to one look at a global. The only file that imports the library.
 *
 * W3C contexts are read and written by the core whatever propagators are registered: that is the form that MCP defines for
 * `_meta`, and the one that the inboxes and journals of the nodes hold.
 */
import {
  type BaggageEntry,
  baggageEntryMetadataFromString,
  type Context,
  context as contexts,
  createTraceState,
  type Link,
  type Span as OtelSpan,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { TraceContext } from '../core/trace-context.js';
import { type Failure, passing, type Span, type SpanStart, type Tracing } from '../core/tracing.js';

const NAME = 'anynode';
const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;
/** As the specification of W3C Baggage bounds it. */
const MAX_BAGGAGE_ENTRIES = 64;
/** A collector that does not answer holds no process up. */
const FLUSH_MS = 2000;

/** What the API's global provider answers before and after an SDK is registered. */
type MaybeProxy = TracerProvider & {
  getDelegateTracer?: (name: string) => Tracer | undefined;
  getDelegate?: () => TracerProvider;
};
/** SDKs have it, the API does not. */
type MaybeFlushed = TracerProvider & { forceFlush?: () => Promise<void> };

export function createOtelTracing(): Tracing {
  let known: Tracer | undefined;
  // Not looked up once and for all: an application that mounts a node may register its SDK later.
  const tracer = (): Tracer | undefined => {
    if (known) return known;
    const provider: MaybeProxy = trace.getTracerProvider();
    known = provider.getDelegateTracer ? provider.getDelegateTracer(NAME) : provider.getTracer(NAME);
    return known;
  };
  return {
    get active() {
      return tracer() !== undefined;
    },
    start(span) {
      const registered = tracer();
      return registered ? start(registered, span) : passing(span.parent ?? span.ambient);
    },
    async flush() {
      const provider: MaybeProxy = trace.getTracerProvider();
      const registered: MaybeFlushed = provider.getDelegate?.() ?? provider;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FLUSH_MS);
      });
      await Promise.race([Promise.resolve(registered.forceFlush?.()).catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

function start(tracer: Tracer, { name, kind, parent, ambient, link, attributes }: SpanStart): Span {
  const active = contexts.active();
  const around = trace.getSpanContext(active);
  const parentContext = parent ? remote(parent) : around || !ambient ? active : remote(ambient);
  const parentSpan = trace.getSpanContext(parentContext);
  // The request that carried the message, by the instrumentation of the HTTP server or by its headers; and what else there is.
  const links = [around ?? (ambient && spanContextOf(ambient)), link && spanContextOf(link)]
    .filter((other) => other !== undefined && other.spanId !== parentSpan?.spanId)
    .map((other): Link => ({ context: other as SpanContext }));
  const span = tracer.startSpan(name, { kind: KINDS[kind], ...(links.length > 0 && { links }) }, parentContext);
  if (span.isRecording()) span.setAttributes(attributes());
  return new RecordedSpan(span, trace.setSpan(parentContext, span), (parent ?? ambient)?.baggage);
}

class RecordedSpan implements Span {
  readonly context: TraceContext;
  readonly #span: OtelSpan;
  readonly #within: Context;

  constructor(span: OtelSpan, within: Context, baggage: string | undefined) {
    this.#span = span;
    this.#within = within;
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const state = traceState?.serialize();
    this.context = {
      traceId,
      spanId,
      flags: traceFlags,
      ...(state !== undefined && state !== '' && { state }),
      ...(baggage !== undefined && { baggage }),
    };
  }

  get recording(): boolean {
    return this.#span.isRecording();
  }

  run<T>(work: () => T): T {
    return contexts.with(this.#within, work);
  }

  set(attributes: Record<string, string | number | boolean>): void {
    this.#span.setAttributes(attributes);
  }

  end(failure?: Failure): void {
    if (!this.#span.isRecording()) return;
    if (failure) {
      this.#span.setAttribute('error.type', failure.type);
      if (failure.code !== undefined) this.#span.setAttribute('rpc.response.status_code', String(failure.code));
      // Without the message: it may quote what the client sent.
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

function remote(parent: TraceContext): Context {
  const context = trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
  return parent.baggage === undefined ? context : propagation.setBaggage(context, baggageOf(parent.baggage));
}

function spanContextOf({ traceId, spanId, flags, state }: TraceContext): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: flags,
    isRemote: true,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  };
}

/** Entries that are malformed are left out. */
function baggageOf(text: string) {
  const entries: Record<string, BaggageEntry> = {};
  for (const member of text.split(',').slice(0, MAX_BAGGAGE_ENTRIES)) {
    const [pair = '', ...properties] = member.split(';');
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(at, 0)).trim();
    if (name === '') continue;
    try {
      const value = decodeURIComponent(pair.slice(at + 1).trim());
      const metadata = properties.length > 0 ? baggageEntryMetadataFromString(properties.join(';')) : undefined;
      entries[name] = { value, ...(metadata && { metadata }) };
    } catch {
      // A broken percent encoding.
    }
  }
  return propagation.createBaggage(entries);
}
