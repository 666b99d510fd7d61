/**
 * Opening a session: the `initialize` of a client, answered by the server and then stored.
 *
 * The record is written before the answer leaves, so that the next request finds it on any node. Nothing is stored when
 * the server refuses, or when the fleet is full.
 */
import { v4 as uuid } from 'uuid';
import {
  ErrorCode,
  errorResponse,
  isObject,
  type JsonRpcMessage,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from '../core/jsonrpc.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import type { Place } from '../core/ports/slots.js';
import { isLegacyRevision, LATEST_LEGACY_REVISION } from '../core/revisions.js';
import { SessionGone } from '../core/server-context.js';
import type { Caller, LegacyEra } from './legacy-era.js';
import type { Outlet } from './outlet.js';
import { noEffects, type SessionEffects } from './session-effects.js';
import { OpeningState } from './session-state.js';

/** What has no room for another session: the fleet as a whole, or a pool. */
export type Full = 'fleet' | Place;

export interface Room {
  /** Sessions in the whole fleet; 0: any number. */
  readonly maxSessions: number;
  /** Pools in which the session needs a place. */
  readonly places: readonly Place[];
}

export type Opening =
  | { readonly outcome: 'opened'; readonly sessionId: string; readonly response: JsonRpcResponse }
  | { readonly outcome: 'refused'; readonly response: JsonRpcResponse }
  | { readonly outcome: 'full'; readonly full: Full };

/** Opens a Streamable HTTP session. @throws StoreUnavailable */
export async function openSession(
  era: LegacyEra,
  request: JsonRpcRequest,
  caller: Caller,
  room: Room,
): Promise<Opening> {
  const { store, feed, metrics } = era.options;
  const { places } = room;
  // Who is refused again and again costs a look at the pool, and not a server each time.
  if (places.some(({ pool }) => era.crowded.has(pool))) {
    const full = await store.sessions.findFull(places);
    if (full) return { outcome: 'full', full };
  }
  await feed.ready();
  const sessionId = uuid();
  const state = new OpeningState(era.options.stateLimits, era.onStateRefused);
  const asked = withServedRevision(request);
  const main = era.writeMain(sessionId);
  let created: (exists: boolean) => void = () => {};
  const exists = new Promise<boolean>((resolve) => {
    created = resolve;
  });
  let answered: (response: JsonRpcResponse) => void = () => {};
  const answer = new Promise<JsonRpcResponse>((resolve) => {
    answered = resolve;
  });
  // What a server says while it is being initialized waits for the session to exist; the server does not wait for it.
  const later = async (message: JsonRpcMessage): Promise<void> => {
    void exists.then((yes) => (yes ? main(message) : undefined)).catch(() => undefined);
  };
  const outlet: Outlet = {
    callId: undefined,
    result: async (response) => answered(response),
    related: later,
    unrelated: later,
    unanswered: async () => {},
    refuse: async () => {},
    abandon: () => {},
    closeStream: () => {},
  };
  const context = () => era.context(sessionId, state, caller);
  const protocolVersion = String(asked.params?.protocolVersion ?? '');
  const opened = { sessionId, initialize: JSON.stringify(asked.params), logLevel: '', protocolVersion };
  const exchange = await era.exchange(opened, context, caller, outlet, noEffects, { opens: true });
  exchange.deliver(asked, era.span({ sessionId, protocolVersion }, asked, caller));
  const response = await inTime(answer, request);
  const revision = negotiated(response);
  // What is replayed later is what was agreed on; only where that was also what was asked for are the two alike.
  if (revision === undefined || revision !== asked.params?.protocolVersion) exchange.keepServerFromOthers();
  if (revision === undefined) {
    created(false);
    return { outcome: 'refused', response };
  }
  const record: SessionRecord = {
    sessionId,
    transportType: 'streamable',
    createdAt: Date.now(),
    changesPosition: feed.position,
    principal: caller.principal,
    initialized: false,
    logLevel: '',
    ...handshake(asked, revision),
  };
  try {
    const stored = await store.sessions.create(record, { ...room, state: state.values });
    if (stored !== 'created') {
      created(false);
      if (stored !== 'full') era.crowded.note(stored.full.pool);
      return { outcome: 'full', full: fullOf(stored) };
    }
  } catch (error) {
    created(false);
    throw error;
  }
  state.settle(era.state(sessionId));
  created(true);
  metrics.sessionCreated();
  return { outcome: 'opened', sessionId, response };
}

/** How long a server may take to answer the handshake; nothing is open yet that could carry the answer later. */
const HANDSHAKE_MS = 30_000;

async function inTime(answer: Promise<JsonRpcResponse>, { id }: JsonRpcRequest): Promise<JsonRpcResponse> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<JsonRpcResponse>((resolve) => {
    const fault = errorResponse(id, ErrorCode.InternalError, `The server did not answer in ${HANDSHAKE_MS / 1000} s`);
    timer = setTimeout(() => resolve(fault), HANDSHAKE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Opens an HTTP+SSE session: its record exists before its handshake, since its stream comes first. */
export async function openSseSession(
  era: LegacyEra,
  principal: string,
  room: Room,
): Promise<{ readonly session: SessionRecord } | { readonly full: Full }> {
  const { store, feed, metrics } = era.options;
  await feed.ready();
  const record: SessionRecord = {
    sessionId: uuid(),
    transportType: 'sse',
    createdAt: Date.now(),
    changesPosition: feed.position,
    principal,
    initialized: false,
    logLevel: '',
    protocolVersion: '',
    initialize: '',
    clientInfo: '',
  };
  const stored = await store.sessions.create(record, room);
  if (stored !== 'created') return { full: fullOf(stored) };
  metrics.sessionCreated();
  return { session: record };
}

const fullOf = (stored: 'full' | { readonly full: Place }): Full => (stored === 'full' ? 'fleet' : stored.full);

/** The handshake of an HTTP+SSE session: its outcome is written to the record before the client reads it. */
export function sseHandshake(
  era: LegacyEra,
  session: SessionRecord,
  request: JsonRpcRequest,
): [JsonRpcRequest, SessionEffects] {
  const asked = withServedRevision(request);
  const effects: SessionEffects = {
    async apply(_request, response) {
      const revision = negotiated(response);
      if (
        revision !== undefined &&
        !(await era.options.store.sessions.update(session.sessionId, handshake(asked, revision)))
      ) {
        throw new SessionGone('the session has ended');
      }
      return response;
    },
  };
  return [asked, effects];
}

/**
 * A revision that is not served, a modern one included, is answered with our newest: the server must not take up one
 * that its SDK knows and this fleet does not.
 */
function withServedRevision(request: JsonRpcRequest): JsonRpcRequest {
  const { params } = request;
  if (typeof params?.protocolVersion !== 'string' || isLegacyRevision(params.protocolVersion)) return request;
  return { ...request, params: { ...params, protocolVersion: LATEST_LEGACY_REVISION } };
}

function negotiated(response: JsonRpcResponse): string | undefined {
  const revision = 'result' in response ? response.result.protocolVersion : undefined;
  return isLegacyRevision(revision) ? (revision as string) : undefined;
}

/** What the record keeps of a handshake; replayed, it negotiates the same again. */
function handshake(request: JsonRpcRequest, revision: string) {
  const { clientInfo } = request.params ?? {};
  return {
    protocolVersion: revision,
    initialize: JSON.stringify({ ...request.params, protocolVersion: revision }),
    clientInfo: JSON.stringify(isObject(clientInfo) ? clientInfo : {}),
  };
}
