/**
 * The registry of HTTP faults: each status with its JSON-RPC code and words, in one place. A session that is unknown,
 * expired, deleted or somebody else's is one and the same fault.
 */
import { VerifierUnavailable } from '../core/authentication.js';
import { ErrorCode } from '../core/jsonrpc.js';
import type { RefusalReason } from '../core/metrics.js';
import { StoreUnavailable } from '../core/ports/store.js';
import { LEGACY_REVISIONS } from '../core/revisions.js';
import { SessionGone } from '../core/server-context.js';
import { NodeLeaving, TooManyStreams } from '../mcp/modern-era.js';
import { TooManyCalls } from '../mcp/running-calls.js';
import type { HttpFault } from './reply.js';

const RETRY_AFTER_S = '1';
/** When a place may have come free that something long-lived holds. */
const PLACE_RETRY_AFTER_S = '5';

const COUNTED: Partial<Record<RefusalReason, string>> = {
  rate_user: 'requests of this user',
  rate_address: 'requests from this address',
  sessions_user: 'sessions of this user',
  sessions_address: 'sessions from this address',
  streams_user: 'open streams of this user',
  streams_address: 'open streams from this address',
  calls_session: 'running calls in this session',
};

export const faults = {
  notJson: (): HttpFault => ({ status: 400, code: ErrorCode.ParseError, message: 'Parse error: the body is not JSON' }),
  notJsonRpc: (why: string, reason?: RefusalReason): HttpFault => ({
    status: 400,
    code: ErrorCode.InvalidRequest,
    message: `Invalid Request: ${why}`,
    ...(reason && { reason }),
  }),
  invalidParams: (why: string): HttpFault => ({
    status: 400,
    code: ErrorCode.InvalidParams,
    message: `Invalid params: ${why}`,
  }),
  noSessionId: (): HttpFault => ({
    status: 400,
    code: ErrorCode.Transport,
    message: 'Bad Request: Mcp-Session-Id header is required',
  }),
  ambiguousHeader: (name: string): HttpFault => ({
    status: 400,
    code: ErrorCode.Transport,
    message: `Bad Request: ${name} header must be given once`,
  }),
  versionNotServed: (): HttpFault => ({
    status: 400,
    code: ErrorCode.Transport,
    message: `Bad Request: Unsupported protocol version (supported versions: ${LEGACY_REVISIONS.join(', ')})`,
  }),
  badEventId: (): HttpFault => ({
    status: 400,
    code: ErrorCode.Transport,
    message: 'Bad Request: Last-Event-ID is not an event id of this server',
  }),
  unauthorized: (): HttpFault => ({
    refusal: 'token',
    status: 401,
    code: ErrorCode.Transport,
    message: 'Unauthorized: a valid bearer token is required',
  }),
  insufficientScope: (): HttpFault => ({
    refusal: 'scope',
    status: 403,
    code: ErrorCode.Transport,
    message: 'Forbidden: the token does not have the scopes that this needs',
  }),
  hostNotAllowed: (): HttpFault => ({
    refusal: 'host',
    status: 403,
    code: ErrorCode.Transport,
    message: 'Forbidden: Host not allowed (see ALLOWED_HOSTS)',
  }),
  originNotAllowed: (): HttpFault => ({
    refusal: 'origin',
    status: 403,
    code: ErrorCode.Transport,
    message: 'Forbidden: Origin not allowed (see ALLOWED_ORIGINS)',
  }),
  sessionNotFound: (): HttpFault => ({
    refusal: 'session',
    status: 404,
    code: ErrorCode.SessionNotFound,
    message: 'Session not found',
  }),
  routeNotFound: (): HttpFault => ({ status: 404, code: ErrorCode.Transport, message: 'Not found: no such route' }),
  methodNotAllowed: (allow: string): HttpFault => ({
    status: 405,
    code: ErrorCode.Transport,
    message: 'Method not allowed',
    headers: { Allow: allow },
  }),
  notAcceptable: (types: string): HttpFault => ({
    status: 406,
    code: ErrorCode.Transport,
    message: `Not Acceptable: the client must accept ${types}`,
  }),
  streamLost: (sessionId: string): HttpFault => ({
    status: 410,
    code: ErrorCode.Transport,
    message: 'Gone: the SSE stream of this session is not open on any node',
    data: { reason: 'sse_connection_lost', sessionId, reconnect: `/sse?sessionId=${sessionId}` },
  }),
  bodyTooLarge: (maxBytes: number): HttpFault => ({
    refusal: 'size',
    status: 413,
    code: ErrorCode.Transport,
    message: `Payload too large: a body has ${maxBytes} bytes at most`,
    headers: { Connection: 'close' },
    reason: 'body_bytes',
  }),
  notJsonContent: (): HttpFault => ({
    status: 415,
    code: ErrorCode.Transport,
    message: 'Unsupported Media Type: Content-Type must be application/json',
  }),
  tooManyRequests: (reason: RefusalReason, waitMs: number): HttpFault => ({
    status: 429,
    code: ErrorCode.Transport,
    message: `Too Many Requests: too many ${COUNTED[reason]}`,
    data: { reason },
    headers: { 'Retry-After': String(Math.max(Math.ceil(waitMs / 1000), 1)) },
    reason,
  }),
  tooMany: (reason: RefusalReason, limit: number): HttpFault => ({
    status: 429,
    code: ErrorCode.Transport,
    message: `Too Many Requests: ${limit} ${COUNTED[reason]} are as many as there may be`,
    data: { reason, limit },
    headers: { 'Retry-After': reason === 'calls_session' ? RETRY_AFTER_S : PLACE_RETRY_AFTER_S },
    reason,
  }),
  tooManyStreams: (reason: RefusalReason): HttpFault => ({
    status: 429,
    code: ErrorCode.InternalError,
    message: 'Subscription limit reached',
    headers: { 'Retry-After': PLACE_RETRY_AFTER_S },
    reason,
  }),
  internal: (): HttpFault => ({ status: 500, code: ErrorCode.InternalError, message: 'Internal error' }),
  full: (): HttpFault => ({
    refusal: 'full',
    status: 503,
    code: ErrorCode.Transport,
    message: 'Service Unavailable: the fleet has as many sessions as it may have',
    headers: { 'Retry-After': PLACE_RETRY_AFTER_S },
    reason: 'sessions_fleet',
  }),
  leaving: (): HttpFault => ({
    status: 503,
    code: ErrorCode.Transport,
    message: 'Service Unavailable: this node is leaving',
    headers: { 'Retry-After': RETRY_AFTER_S, Connection: 'close' },
  }),
  verifierAway: (): HttpFault => ({
    status: 503,
    code: ErrorCode.Transport,
    message: 'Service Unavailable: the authorization server is out of reach',
    headers: { 'Retry-After': RETRY_AFTER_S },
  }),
  storeAway: (): HttpFault => ({
    status: 503,
    code: ErrorCode.Transport,
    message: 'Service Unavailable: the store is out of reach',
    headers: { 'Retry-After': RETRY_AFTER_S },
  }),
} as const;

/** Undefined: not foreseen, a fault of ours. */
export function faultOf(error: unknown): HttpFault | undefined {
  if (error instanceof TooManyStreams) return faults.tooManyStreams(error.reason);
  if (error instanceof TooManyCalls) return faults.tooMany('calls_session', error.limit);
  if (error instanceof NodeLeaving) return faults.leaving();
  if (error instanceof VerifierUnavailable) return faults.verifierAway();
  if (error instanceof StoreUnavailable) return faults.storeAway();
  if (error instanceof SessionGone) return faults.sessionNotFound();
  return undefined;
}
