/** `/mcp`: Streamable HTTP. Statuses of the legacy era: CONTRACT in DEPLOYMENT.md, words in faults.ts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Audit } from '../core/audit.js';
import type { Identity } from '../core/authentication.js';
import { parseEventId } from '../core/event-id.js';
import {
  isRequest,
  isResponse,
  type JsonRpcId,
  type JsonRpcMessage,
  type JsonRpcRequest,
  readableId,
} from '../core/jsonrpc.js';
import { MAIN_STREAM } from '../core/ports/event-log.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import { hasBatches, isLegacyRevision } from '../core/revisions.js';
import { isSessionId } from '../core/session-id.js';
import type { TokenExpiry } from '../core/token-expiry.js';
import { type LegacyEra, requestsOf } from '../mcp/legacy-era.js';
import { LISTEN, type ModernEra } from '../mcp/modern-era.js';
import { openSession } from '../mcp/session-opening.js';
import { openMainStream, resumeStream } from '../mcp/session-streams.js';
import { accepts, isJsonContent } from './accept.js';
import type { Authorization } from './authorization.js';
import { type BodyLimits, readJsonBody } from './body.js';
import { faults } from './faults.js';
import { noRoom, type RequestLimits } from './limits.js';
import { initializeFault, parseMessages } from './messages.js';
import { carriesClaim, declaresLater, declaresModern, goneSignal, hasClaim, serveModern } from './modern-route.js';
import { HttpPostReply } from './post-reply.js';
import { Refused, refusedWith } from './refused.js';
import { sendEmpty, sendJson } from './reply.js';
import { callerOf, singleHeader } from './request-context.js';
import { methodOf, observeRequest } from './request-metrics.js';
import { expiring, SseConnection } from './sse-connection.js';

export interface RouteOptions {
  readonly era: LegacyEra;
  readonly modern: ModernEra;
  readonly body: BodyLimits;
  readonly maxSessions: number;
  readonly keepAliveMs: number;
  readonly authorization: Authorization;
  readonly tokenExpiry: TokenExpiry;
  readonly audit: Audit;
  readonly limits: RequestLimits;
}

export type Route = (req: IncomingMessage, res: ServerResponse, identity: Identity) => Promise<void>;

/** A POST whose body is known. */
interface Post {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly identity: Identity;
  readonly messages: readonly JsonRpcMessage[];
  readonly first: JsonRpcMessage;
  readonly batch: boolean;
  readonly id: JsonRpcId | null;
}

export function createMcpRoute(options: RouteOptions): Route {
  const { era, keepAliveMs, limits, maxSessions, authorization, tokenExpiry, audit } = options;
  const { metrics, store } = era.options;
  const { sessions } = store;

  /** The session named by the headers, if it is the caller's. The version header is judged without the store. */
  async function loadSession(
    req: IncomingMessage,
    { principal }: Identity,
    id: JsonRpcId | null,
  ): Promise<SessionRecord> {
    checkVersionHeader(req, id);
    const sessionId = singleHeader(req, 'mcp-session-id');
    if (sessionId === undefined) throw new Refused(faults.noSessionId(), id);
    if (sessionId === 'ambiguous') throw new Refused(faults.ambiguousHeader('Mcp-Session-Id'), id);
    const session = isSessionId(sessionId) ? await sessions.touch(sessionId, principal) : undefined;
    if (session?.transportType !== 'streamable') {
      throw new Refused(faults.sessionNotFound(), id);
    }
    return session;
  }

  const post: Route = async (req, res, identity) => {
    if (!isJsonContent(req)) throw new Refused(faults.notJsonContent());
    if (!accepts(req, 'application/json', 'text/event-stream')) {
      throw new Refused(faults.notAcceptable('application/json and text/event-stream'));
    }
    const parsed = parseMessages(await readJsonBody(req, options.body), options.body);
    if (parsed.outcome === 'aborted') return;
    if (parsed.outcome === 'refused') {
      throw new Refused((declaresModern(req) && parsed.modern) || parsed.fault, parsed.id);
    }
    const { messages, batch } = parsed;
    const [first] = messages as [JsonRpcMessage];
    const id = batch ? null : readableId(first);
    const modern = batch ? messages.some(carriesClaim) || declaresModern(req) : hasClaim(first) || declaresModern(req);
    observeRequest(metrics, res, methodOf(first, batch), modern ? 'modern' : 'legacy');
    const post = { req, res, identity, messages, first, batch, id };
    try {
      await (modern ? postModern(post) : postLegacy(post));
    } catch (error) {
      throw refusedWith(id, authorization.refused(req.url, error, id));
    }
  };

  const postModern = async ({ req, res, identity, first, batch, id }: Post): Promise<void> => {
    const gone = goneSignal(res);
    // Neither exists in the modern era; and an answer that declares it must not reach a call of the other one.
    if (batch || isResponse(first)) throw new Refused(faults.notJsonRpc('one request or notification is expected'), id);
    if (!(await options.modern.isServed())) throw new Refused(faults.versionNotServed(), id);
    await authorization.check(req.url, identity, [first], id, () => options.modern.contextFor(identity));
    if (isRequest(first) && first.method === LISTEN) {
      const full = await limits.holdStream(req, res, identity);
      if (full) throw new Refused(full, id);
    }
    await serveModern(options.modern, req, res, first, identity, gone);
  };

  const postLegacy = async ({ req, res, identity, messages, first, batch, id }: Post): Promise<void> => {
    if (isRequest(first) && first.method === 'initialize') return initialize(req, res, identity, first);
    const session = await loadSession(req, identity, id);
    if (batch && !hasBatches(session.protocolVersion)) {
      throw new Refused(faults.notJsonRpc('this revision of the protocol has no batches'), id);
    }
    const caller = callerOf(req, identity, audit);
    if (identity.scopes)
      await authorization.check(req.url, identity, messages, id, () => era.contextFor(session, caller));
    const requests = requestsOf(messages);
    for (const message of messages) if (!isRequest(message)) await era.accept(session, message, caller);
    if (requests.length === 0) sendEmpty(res, 202);
    else await era.serve(session, requests, caller, new HttpPostReply(res, id, keepAliveMs), batch);
  };

  const initialize = async (
    req: IncomingMessage,
    res: ServerResponse,
    identity: Identity,
    request: JsonRpcRequest,
  ): Promise<void> => {
    checkVersionHeader(req, request.id);
    if (req.headers['mcp-session-id'] !== undefined) {
      throw new Refused(faults.notJsonRpc('initialize opens a session and is not sent within one'), request.id);
    }
    const fault = initializeFault(request.params);
    if (fault !== undefined) throw new Refused(faults.invalidParams(fault), request.id);
    const places = limits.sessionPlaces(req, identity);
    const opening = await openSession(era, request, callerOf(req, identity, audit), { maxSessions, places });
    if (opening.outcome === 'full') throw new Refused(noRoom(opening.full, places), request.id);
    if (opening.outcome === 'opened') audit.opened(opening.sessionId, identity.principal, 'streamable');
    sendJson(res, 200, opening.response, opening.outcome === 'opened' ? { 'Mcp-Session-Id': opening.sessionId } : {});
  };

  const get: Route = async (req, res, identity) => {
    observeRequest(metrics, res, 'GET');
    if (!accepts(req, 'text/event-stream')) throw new Refused(faults.notAcceptable('text/event-stream'));
    const session = await loadSession(req, identity, null);
    const lastEventId = singleHeader(req, 'last-event-id');
    const from = lastEventId === undefined ? undefined : parseEventId(lastEventId);
    if (lastEventId !== undefined && !from) throw new Refused(faults.badEventId());
    const full = await limits.holdStream(req, res, identity);
    if (full) throw new Refused(full);
    const openSink = (connectionId: string) =>
      expiring(tokenExpiry, identity, new SseConnection(res, connectionId, keepAliveMs));
    const opened =
      from && from.streamId !== MAIN_STREAM
        ? await resumeStream(era, session, from, openSink)
        : await openMainStream(era, session, from, openSink);
    if (!opened) throw new Refused(faults.sessionNotFound());
  };

  const terminate: Route = async (req, res, identity) => {
    observeRequest(metrics, res, 'DELETE');
    const session = await loadSession(req, identity, null);
    if (!(await sessions.delete(session))) throw new Refused(faults.sessionNotFound());
    metrics.sessionsEnded('deleted', 1);
    audit.ended(session.sessionId, 'deleted');
    sendEmpty(res, 200);
  };

  const methods: Readonly<Record<string, Route>> = { POST: post, GET: get, DELETE: terminate };

  return async (req, res, identity) => {
    // Sessions and streams of their own do not exist in the modern era; a DELETE that declares it ends nobody's session.
    if (req.method !== 'POST' && declaresLater(req)) {
      throw new Refused(faults.methodNotAllowed('POST'));
    }
    const route = methods[req.method ?? ''];
    if (!route) throw new Refused(faults.methodNotAllowed('GET, POST, DELETE'));
    await route(req, res, identity);
  };
}

/** Before the session is looked up, so that a store that is away cannot turn it into something else. */
function checkVersionHeader(req: IncomingMessage, id: JsonRpcId | null): void {
  const version = req.headers['mcp-protocol-version'];
  if (version !== undefined && !isLegacyRevision(version)) throw new Refused(faults.versionNotServed(), id);
}
