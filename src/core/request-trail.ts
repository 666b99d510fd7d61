/** What ties log lines and spans to the HTTP request they belong to. */
import type { TraceContext } from './trace-context.js';

export interface RequestTrail {
  /** The trace context in the headers of the request. */
  readonly ambient: TraceContext | undefined;
  /** A span was begun for a message of the request; the first one names the trace in its log lines. */
  joined(span: TraceContext): void;
  /** Fields for a log line: the ids of request, session and trace. Made when asked for. */
  ids(): Record<string, unknown>;
}
