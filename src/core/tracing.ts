/**
 * What the core knows of tracing: spans that are begun, that know their context, and that end.
 *
 * A span is undefined where there is nothing to record and nothing to pass on, which is the common case; every use is a
 * `?.`, so that a node that is not traced pays for a comparison. Names and attributes follow the semantic conventions of
 * OpenTelemetry for MCP. Never in an attribute: arguments, results, messages of errors, tokens, session ids.
 *
 * Not here: recording (tracing/otel.ts, the only file that knows the library).
 */
import { ErrorCode, isRequest, isResponse, type JsonRpcMessage, type JsonRpcResponse } from './jsonrpc.js';
import { isKnownMethod } from './known-methods.js';
import { hashId } from './logger.js';
import { contextOfMessage, type TraceContext } from './trace-context.js';

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';
export type Attributes = Record<string, string | number | boolean>;

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** What the span is a child of. Else: the span that is active, then `ambient`, else it begins a trace. */
  readonly parent?: TraceContext | undefined;
  /** The context of the HTTP request: the parent where there is no better one, else linked. */
  readonly ambient?: TraceContext | undefined;
  readonly link?: TraceContext | undefined;
  /** Asked for only if somebody records. */
  readonly attributes: () => Attributes;
}

/** Why what a span stands for did not succeed: a JSON-RPC code, a status, or a word of ours; bounded in number. */
export interface Failure {
  readonly type: string;
  /** Where it is an error that the other side was told. */
  readonly code?: number;
}

export interface Span {
  /** For what is sent on behalf of it. */
  readonly context: TraceContext;
  /** Whether anybody will see it; else it only passes a context on. */
  readonly recording: boolean;
  /** Runs work so that spans of others within it, and all that it goes on with later, become children. */
  run<T>(work: () => T): T;
  set(attributes: Attributes): void;
  /** Once; what comes later is ignored. */
  end(failure?: Failure): void;
}

export interface Tracing {
  /** Whether somebody has registered what records spans. */
  readonly active: boolean;
  start(span: SpanStart): Span | undefined;
  /** Has what was recorded sent on, where that can be asked for. Never throws, and is over in bounded time. */
  flush(): Promise<void>;
}

/** Nobody records: a context that came is passed on as it is, so that a trace does not break at this node. */
export const noTracing: Tracing = Object.freeze({
  active: false,
  start: ({ parent, ambient }: SpanStart) => passing(parent ?? ambient),
  flush: async () => {},
});

export function passing(context: TraceContext | undefined): Span | undefined {
  return context && { context, recording: false, run: (work) => work(), set: () => {}, end: () => {} };
}

/** What a span says of the request it stands for, beside the message. */
export interface Served {
  readonly nodeId: string;
  readonly sessionId?: string | undefined;
  readonly revision?: string | undefined;
  /** The HTTP request's own context. */
  readonly ambient?: TraceContext | undefined;
  /** In which a call ran before its node was lost. */
  readonly before?: TraceContext | undefined;
}

/** A span for a request or notification of the client. Undefined nearly always where nobody records. */
export function startServerSpan(tracing: Tracing, message: JsonRpcMessage, served: Served): Span | undefined {
  const own = contextOfMessage(message);
  const { ambient, before } = served;
  if (!tracing.active && own === undefined && ambient === undefined && before === undefined) return undefined;
  const method = methodOf(message);
  const target = targetOf(message);
  return tracing.start({
    name: target === undefined ? method : `${method} ${target}`,
    kind: 'server',
    parent: own ?? before,
    ambient,
    link: own && before,
    attributes: () => ({
      ...commonAttributes(method, served),
      ...(target !== undefined && {
        [method === 'tools/call' ? 'gen_ai.tool.name' : 'gen_ai.prompt.name']: target,
      }),
      ...(method === 'tools/call' && { 'gen_ai.operation.name': 'execute_tool' }),
      ...(isRequest(message) && { 'jsonrpc.request.id': String(message.id).slice(0, MAX_NAME) }),
      ...(before && { 'anynode.recovered': true }),
    }),
  });
}

/**
 * A span for a request that a server sends to its client, child of the handler that asks. Without the id of the request:
 * that is what lets a client answer it.
 */
export function startClientSpan(
  tracing: Tracing,
  message: JsonRpcMessage,
  served: Served,
  parent: TraceContext | undefined,
): Span | undefined {
  if (!tracing.active && parent === undefined) return undefined;
  const method = methodOf(message);
  return tracing.start({
    name: method,
    kind: 'client',
    // Behind the span that is active: the handler may have begun one of its own.
    ambient: parent,
    attributes: () => commonAttributes(method, served),
  });
}

/** What became of a request, as its answer says. */
export function failureOf(response: JsonRpcResponse): Failure | undefined {
  if ('error' in response) return { type: String(response.error.code), code: response.error.code };
  return response.result.isError === true ? { type: 'tool_error' } : undefined;
}

export const failures = {
  cancelled: { type: 'cancelled' },
  /** The token is not good for the request. */
  forbidden: { type: 'forbidden' },
  /** Given up: the session ended, the store stayed away, or another node has taken the call over. */
  abandoned: { type: 'abandoned' },
  internal: { type: String(ErrorCode.InternalError), code: ErrorCode.InternalError },
} as const satisfies Record<string, Failure>;

export function shownSession(sessionId: string): string {
  return `#${hashId(sessionId)}`;
}

function commonAttributes(method: string, { nodeId, sessionId, revision }: Served): Attributes {
  return {
    'mcp.method.name': method,
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'anynode.node.id': nodeId,
    ...(sessionId !== undefined && { 'mcp.session.id': shownSession(sessionId) }),
    ...(revision !== undefined && revision !== '' && { 'mcp.protocol.version': revision }),
  };
}

const MAX_NAME = 64;
const NAME = /^[\w./:-]{1,64}$/;

function methodOf(message: JsonRpcMessage): string {
  if (isResponse(message)) return 'answer';
  return isKnownMethod(message.method) ? message.method : '_OTHER';
}

/** The tool or prompt; a name that is odd or long stays out of the names of spans. */
function targetOf(message: JsonRpcMessage): string | undefined {
  if (isResponse(message) || (message.method !== 'tools/call' && message.method !== 'prompts/get')) return undefined;
  const name = message.params?.name;
  return typeof name === 'string' && NAME.test(name) ? name : undefined;
}
