/**
 * The trace context of the W3C: read from a message or a request, and written into one.
 *
 * What is malformed is ignored, never an error: whoever sends a broken header gets an answer all the same. Values are
 * bounded, since they come from outside and go on to other nodes, clients and logs.
 */
import { isObject } from './jsonrpc.js';

export interface TraceContext {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 of them: the span that a new one is a child of. */
  readonly spanId: string;
  /** Bit 0: the trace is being recorded. */
  readonly flags: number;
  /** `tracestate` and `baggage` as they came. */
  readonly state?: string;
  readonly baggage?: string;
}

/** The members of a `_meta` object, or headers of the same names. */
export interface TraceCarrier {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
  readonly baggage?: unknown;
}

/** Later versions may add parts behind the flags; those of version 00 end there. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ONLY_ZEROES = /^0+$/;
/** As the specifications bound them. */
const MAX_STATE = 512;
const MAX_BAGGAGE = 8192;
const MAX_PARENT = 256;
/** Printable ASCII: what a header may carry. */
const TEXT = /^[\x20-\x7e]+$/;

/** Undefined: there is none, or none that means anything. */
export function parseTraceContext({ traceparent, tracestate, baggage }: TraceCarrier): TraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > MAX_PARENT) return undefined;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (ONLY_ZEROES.test(traceId) || ONLY_ZEROES.test(spanId)) return undefined;
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags, 16),
    ...(isText(tracestate, MAX_STATE) && { state: tracestate }),
    ...(isText(baggage, MAX_BAGGAGE) && { baggage }),
  };
}

/** The context that a message carries in `params._meta` (an answer: in `result._meta`). */
export function contextOfMessage(message: object): TraceContext | undefined {
  const body = (message as { params?: unknown; result?: unknown }).params ?? (message as { result?: unknown }).result;
  if (!isObject(body) || !isObject(body._meta) || body._meta.traceparent === undefined) return undefined;
  return parseTraceContext(body._meta);
}

export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

/** What goes into a `_meta` object or into headers. */
export function carrierOf(context: TraceContext): Record<string, string> {
  return {
    traceparent: formatTraceparent(context),
    ...(context.state !== undefined && { tracestate: context.state }),
    ...(context.baggage !== undefined && { baggage: context.baggage }),
  };
}

/** Ids and flags alone, in 34 characters that are safe in ids, keys and headers. */
export function packTraceContext({ traceId, spanId, flags }: TraceContext): string {
  return Buffer.from(`${traceId}${spanId}${flags.toString(16).padStart(2, '0')}`, 'hex').toString('base64url');
}

export function unpackTraceContext(packed: string): TraceContext | undefined {
  const hex = Buffer.from(packed, 'base64url').toString('hex');
  return parseTraceContext({ traceparent: `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-${hex.slice(48)}` });
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest && TEXT.test(value);
}
