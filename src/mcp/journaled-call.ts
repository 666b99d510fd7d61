/**
 * What is journaled of a call: enough to go on with it on another node. The claims of its caller, never the token.
 */
import type { JsonRpcRequest } from '../core/jsonrpc.js';
import type { AuthInfo } from '../core/server-context.js';
import { formatTraceparent, parseTraceContext, type TraceContext } from '../core/trace-context.js';
import type { Caller } from './legacy-era.js';

const VERSION = 1;

/** How every journal of this form begins; one that begins otherwise is of another release. */
export const JOURNAL_FORM = `{"version":${VERSION},`;

export interface JournaledCall {
  readonly version: typeof VERSION;
  readonly requests: readonly JsonRpcRequest[];
  /** Whether the answers go onto the session's main stream; else the call has a stream of its own name. */
  readonly ontoMain: boolean;
  readonly principal: string;
  readonly authInfo?: Omit<AuthInfo, 'token' | 'resource'>;
  /** Of the span in which the call ran; of the first request where there are several. */
  readonly traceparent?: string;
}

export function formatCall(
  requests: readonly JsonRpcRequest[],
  caller: Caller,
  ontoMain: boolean,
  trace?: TraceContext,
): string {
  const { principal, authInfo } = caller;
  const call: JournaledCall = {
    version: VERSION,
    requests,
    ontoMain,
    principal,
    ...(authInfo && { authInfo: claimsOf(authInfo) }),
    ...(trace && { traceparent: formatTraceparent(trace) }),
  };
  return JSON.stringify(call);
}

export function parseCall(journal: string): JournaledCall {
  return JSON.parse(journal) as JournaledCall;
}

/** Handlers of a recovered call see who called, without the token and without the HTTP request. */
export function callerOf({ principal, authInfo }: JournaledCall): Caller {
  return { principal, authInfo: authInfo && { ...authInfo, token: '' }, http: {} };
}

export function traceOf(call: JournaledCall): TraceContext | undefined {
  return parseTraceContext(call);
}

function claimsOf({ clientId, scopes, expiresAt, extra }: AuthInfo): Omit<AuthInfo, 'token' | 'resource'> {
  return { clientId, scopes, ...(expiresAt !== undefined && { expiresAt }), ...(extra && { extra }) };
}
