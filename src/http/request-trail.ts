/**
 * The trail of an HTTP request: its id, its session and its trace, for whoever writes a line about it.
 *
 * Nothing is worked out before somebody asks, and in a node that logs no requests nobody does.
 */
import type { IncomingMessage } from 'node:http';
import { randomId } from '../core/random-id.js';
import type { RequestTrail } from '../core/request-trail.js';
import { parseTraceContext, type TraceContext } from '../core/trace-context.js';
import { shownSession } from '../core/tracing.js';

/** An id that may stand in a log and go back to the client as it is. */
const SAFE_ID = /^[\w.:@=+-]{1,128}$/;
const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What generated ids begin with: random per process, so that those of all nodes differ. */
const boot = randomId(6);
let numbered = 0;

const TRAIL = Symbol('trail');
type Followed = IncomingMessage & { [TRAIL]?: HttpTrail };

/** One and the same for all who ask about this request. */
export function trailOf(req: Followed): HttpTrail {
  req[TRAIL] ??= new HttpTrail(req);
  return req[TRAIL];
}

export class HttpTrail implements RequestTrail {
  readonly #req: IncomingMessage;
  #id: string | undefined;
  #span: TraceContext | undefined;
  #method: string | undefined;
  #era: 'legacy' | 'modern' | undefined;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  /** The client's or the balancer's `X-Request-Id` where its form is safe, else one of ours. */
  get requestId(): string {
    this.#id ??= givenId(this.#req) ?? `${boot}-${(numbered++).toString(36)}`;
    return this.#id;
  }

  get ambient(): TraceContext | undefined {
    const { traceparent, tracestate, baggage } = this.#req.headers;
    return traceparent === undefined ? undefined : parseTraceContext({ traceparent, tracestate, baggage });
  }

  joined(span: TraceContext): void {
    this.#span ??= span;
  }

  /** What is asked for, as metrics name it; known once the body is. */
  served(method: string, era: 'legacy' | 'modern'): void {
    this.#method = method;
    this.#era = era;
  }

  get method(): string | undefined {
    return this.#method;
  }

  get era(): 'legacy' | 'modern' | undefined {
    return this.#era;
  }

  ids(): Record<string, unknown> {
    const session = sessionOf(this.#req);
    const trace = this.#span ?? this.ambient;
    return {
      requestId: this.requestId,
      ...(session !== undefined && { session: shownSession(session) }),
      ...(trace && { traceId: trace.traceId, spanId: trace.spanId }),
    };
  }
}

/** Undefined: none, or one that is not repeated. A session id is not, whoever may have put it there. */
export function givenId({ headers }: IncomingMessage): string | undefined {
  const id = headers['x-request-id'];
  if (typeof id !== 'string' || !SAFE_ID.test(id)) return undefined;
  return id === headers['mcp-session-id'] ? undefined : id;
}

/** Only what has the form of a session id: what else a client puts there is nobody's session. */
function sessionOf({ headers, url = '' }: IncomingMessage): string | undefined {
  const id = headers['mcp-session-id'] ?? /[?&]sessionId=([0-9a-f-]{36})(?:&|$)/.exec(url)?.[1];
  return typeof id === 'string' && SESSION_ID.test(id) ? id : undefined;
}
