/**
 * The modern era's side of `/mcp`: which requests are of it, and the way from Node's request and response to the web's
 * and back.
 *
 * The era is told by the body first: a request that carries the envelope is modern whatever else it carries. Without
 * one, the version header decides.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../core/authentication.js';
import { isObject, isRequest, type JsonRpcMessage } from '../core/jsonrpc.js';
import { MODERN_REVISION } from '../core/revisions.js';
import type { ModernEra } from '../mcp/modern-era.js';
import { SAFE_HEADERS, untilRead } from './reply.js';
import { trailOf } from './request-trail.js';

const CLAIM = 'io.modelcontextprotocol/protocolVersion';

/** Whether a message carries the envelope of the modern era. */
export function hasClaim(message: JsonRpcMessage): boolean {
  return isRequest(message) && isObject(message.params?._meta) && CLAIM in message.params._meta;
}

/** The same of any message of a batch. */
export function carriesClaim(message: JsonRpcMessage): boolean {
  return (
    'params' in message && isObject(message.params) && isObject(message.params._meta) && CLAIM in message.params._meta
  );
}

/** Whether a request declares this revision or a later one; those have neither GET nor DELETE. */
export function declaresLater(req: IncomingMessage): boolean {
  const version = req.headers['mcp-protocol-version'];
  return typeof version === 'string' && /^\d{4}-\d\d-\d\d$/.test(version) && version >= MODERN_REVISION;
}

/** Aborted when the client goes away before it has its answer; in this era that is the cancellation. */
export function goneSignal(res: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (res.destroyed) gone.abort();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort();
  });
  return gone.signal;
}

export function declaresModern(req: IncomingMessage): boolean {
  return req.headers['mcp-protocol-version'] === MODERN_REVISION;
}

/** @throws StoreUnavailable */
export async function serveModern(
  era: ModernEra,
  req: IncomingMessage,
  res: ServerResponse,
  message: JsonRpcMessage,
  identity: Identity,
  gone: AbortSignal,
): Promise<void> {
  // Neither the Host nor the form of the request line is the SDK's business, and it would stumble over odd ones.
  const request = new Request('http://localhost/mcp', { method: 'POST', headers: headersOf(req), signal: gone });
  const caller = { ...identity, trail: trailOf(req) };
  await era.serve(request, message, caller, (response) => send(response, res));
}

function headersOf(req: IncomingMessage): [string, string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] as string;
    // Taken away by the gates once it is verified.
    if (req.headers.authorization === undefined && name.toLowerCase() === 'authorization') continue;
    headers.push([name, req.rawHeaders[i + 1] as string]);
  }
  return headers;
}

/**
 * What may wait for one client besides the newest message. The SDK's streams do not slow a handler down and keep whatever
 * is not read of them, so all of it is taken at once, and a client that is behind by more is cut off: in this era nothing
 * is kept that it could come back for.
 */
const MAX_WAITING = 16 * 1024 * 1024;

/** What a handler says is taken as it comes; a client that has gone, does not read or is far behind ends it. */
async function send(response: Response, res: ServerResponse): Promise<void> {
  if (res.destroyed) {
    await response.body?.cancel();
    return;
  }
  // Whether a connection is kept open is this node's own business.
  response.headers.delete('connection');
  res.writeHead(response.status, {
    ...SAFE_HEADERS,
    'cache-control': 'no-store',
    ...Object.fromEntries(response.headers),
  });
  if (!response.body) {
    res.end();
    return;
  }
  const reader = response.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  res.once('close', stop);
  res.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (res.destroyed) return;
    if (res.writableLength > MAX_WAITING) {
      res.destroy();
      return;
    }
    if (!res.write(value)) untilRead(res);
  }
  res.end();
}
