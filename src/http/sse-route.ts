/**
 * `/sse` and `/messages`: the HTTP+SSE transport of 2024-11-05, over many nodes.
 *
 * The stream is open on one node; messages come to any. They are served where they arrive, and what is said goes to the
 * session's main stream, whose tail is on the node that holds the stream. A session whose stream is open nowhere takes
 * no messages (410), but it lives, and `/sse?sessionId=` opens its stream again on any node.
 */
import type { IncomingMessage } from 'node:http';
import type { Identity } from '../core/authentication.js';
import { parseEventId } from '../core/event-id.js';
import { isRequest, type JsonRpcId, type JsonRpcMessage, readableId } from '../core/jsonrpc.js';
import { MAIN_STREAM } from '../core/ports/event-log.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import { hasBatches } from '../core/revisions.js';
import { isSessionId } from '../core/session-id.js';
import { requestsOf } from '../mcp/legacy-era.js';
import { openSseSession, sseHandshake } from '../mcp/session-opening.js';
import { openMainStream } from '../mcp/session-streams.js';
import { accepts, isJsonContent } from './accept.js';
import { readJsonBody } from './body.js';
import { faults } from './faults.js';
import { noRoom } from './limits.js';
import type { Route, RouteOptions } from './mcp-route.js';
import { initializeFault, parseMessages } from './messages.js';
import { Refused, refusedWith } from './refused.js';
import { sendEmpty } from './reply.js';
import { callerOf, singleHeader } from './request-context.js';
import { methodOf, observeRequest } from './request-metrics.js';
import { trailOf } from './request-trail.js';
import { expiring, SseConnection } from './sse-connection.js';

export function createSseRoutes(options: RouteOptions): { readonly sse: Route; readonly messages: Route } {
  const { era, keepAliveMs, limits, maxSessions, authorization, tokenExpiry, audit } = options;
  const { store, hub, nodeToken, logger, metrics } = era.options;

  async function loadSession(sessionId: string, { principal }: Identity, id: JsonRpcId | null): Promise<SessionRecord> {
    const session = isSessionId(sessionId) ? await store.sessions.touch(sessionId, principal) : undefined;
    if (session?.transportType !== 'sse') {
      throw new Refused(faults.sessionNotFound(), id);
    }
    return session;
  }

  async function hasOpenStream(sessionId: string): Promise<boolean> {
    const holder = await store.log.tailHolder(sessionId, MAIN_STREAM);
    if (!holder) return false;
    if (holder.nodeToken === nodeToken) return hub.tailsOf(sessionId, MAIN_STREAM).some((tail) => tail.active);
    return store.nodes.isAlive(holder.nodeToken);
  }

  async function openNew(req: IncomingMessage, identity: Identity): Promise<SessionRecord> {
    const places = limits.sessionPlaces(req, identity);
    const opened = await openSseSession(era, identity.principal, { maxSessions, places });
    if ('full' in opened) throw new Refused(noRoom(opened.full, places));
    audit.opened(opened.session.sessionId, identity.principal, 'sse');
    return opened.session;
  }

  const sse: Route = async (req, res, identity) => {
    if (req.method !== 'GET') throw new Refused(faults.methodNotAllowed('GET'));
    if (!accepts(req, 'text/event-stream')) throw new Refused(faults.notAcceptable('text/event-stream'));
    observeRequest(metrics, res, 'GET');
    const asked = query(req).get('sessionId');
    const lastEventId = singleHeader(req, 'last-event-id');
    const from = lastEventId === undefined || asked === null ? undefined : parseEventId(lastEventId);
    if (from && from.streamId !== MAIN_STREAM) throw new Refused(faults.badEventId());
    const known = asked === null ? undefined : await loadSession(asked, identity, null);
    const full = await limits.holdStream(req, res, identity);
    if (full) throw new Refused(full);
    const session = known ?? (await openNew(req, identity));
    const opened = await openMainStream(era, session, from, (connectionId) => {
      const sink = expiring(tokenExpiry, identity, new SseConnection(res, connectionId, keepAliveMs));
      sink.send({ event: 'endpoint', data: `/messages?sessionId=${session.sessionId}` });
      return sink;
    });
    if (!opened) throw new Refused(faults.sessionNotFound());
  };

  const messages: Route = async (req, res, identity) => {
    if (req.method !== 'POST') throw new Refused(faults.methodNotAllowed('POST'));
    if (!isJsonContent(req)) throw new Refused(faults.notJsonContent());
    const parsed = parseMessages(await readJsonBody(req, options.body), options.body);
    if (parsed.outcome === 'aborted') return;
    if (parsed.outcome === 'refused') throw new Refused(parsed.fault, parsed.id);
    const { messages: received, batch } = parsed;
    const [first] = received as [JsonRpcMessage];
    const id = batch ? null : readableId(first);
    observeRequest(metrics, res, methodOf(first, batch));
    try {
      const session = await loadSession(query(req).get('sessionId') ?? '', identity, id);
      if (batch && !hasBatches(session.protocolVersion)) {
        throw new Refused(faults.notJsonRpc('this revision of the protocol has no batches'), id);
      }
      if (!(await hasOpenStream(session.sessionId))) throw new Refused(faults.streamLost(session.sessionId), id);

      const caller = callerOf(req, identity, audit);
      if (identity.scopes)
        await authorization.check(req.url, identity, received, id, () => era.contextFor(session, caller));
      const report = (error: Error): void => logger.error({ error, ...trailOf(req).ids() }, 'exchange: not served');
      if (isRequest(first) && first.method === 'initialize') {
        if (session.initialize !== '') throw new Refused(faults.notJsonRpc('the session is initialized already'), id);
        const fault = initializeFault(first.params);
        if (fault !== undefined) throw new Refused(faults.invalidParams(fault), id);
        const [request, effects] = sseHandshake(era, session, first);
        const serve = await era.takeOntoMain(session, [request], caller, effects);
        sendEmpty(res, 202);
        await serve().catch(report);
        return;
      }
      for (const message of received) if (!isRequest(message)) await era.accept(session, message, caller);
      const requests = requestsOf(received);
      const serve = requests.length > 0 ? await era.takeOntoMain(session, requests, caller) : undefined;
      sendEmpty(res, 202);
      await serve?.().catch(report);
    } catch (error) {
      throw refusedWith(id, error);
    }
  };

  return { sse, messages };
}

function query(req: IncomingMessage): URLSearchParams {
  const url = req.url ?? '';
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start));
}
