/**
 * Where clients look for an authorization server: the metadata of the protected resource, at the root and behind the
 * endpoint's path. Asked without a token, since a client has none yet.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { METADATA_ROOT, metadataOf, type ProtectedResource } from './challenge.js';
import { faults } from './faults.js';
import { Refused } from './refused.js';
import { sendJson } from './reply.js';

export type OpenRoute = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** The answer changes with the configuration only. */
const CACHE = { 'Cache-Control': 'public, max-age=3600' };

export function createWellKnownRoutes(resource: ProtectedResource | undefined): Readonly<Record<string, OpenRoute>> {
  const nothing: OpenRoute = async () => {
    throw new Refused(faults.routeNotFound());
  };
  const metadata =
    (of: 'resource' | 'sseResource'): OpenRoute =>
    async (req, res) => {
      if (!resource) throw new Refused(faults.routeNotFound());
      if (req.method !== 'GET' && req.method !== 'HEAD') throw new Refused(faults.methodNotAllowed('GET, HEAD'));
      sendJson(res, 200, metadataOf(resource, resource[of]), CACHE);
    };
  // A prefix before the endpoint (`PUBLIC_URL` with a path) may or may not be taken off on the way here.
  const pathOf = (url: string | undefined, bare: string): string => {
    const { pathname } = url === undefined ? { pathname: bare } : new URL(url);
    return pathname === '/' ? '' : pathname;
  };
  const own = [METADATA_ROOT, `${METADATA_ROOT}/mcp`, METADATA_ROOT + pathOf(resource?.resource, '/mcp')];
  const older = [`${METADATA_ROOT}/sse`, METADATA_ROOT + pathOf(resource?.sseResource, '/sse')];
  return {
    ...Object.fromEntries(older.map((place) => [place, metadata('sseResource')])),
    ...Object.fromEntries(own.map((place) => [place, metadata('resource')])),
    // Not a place of ours: clients of 2025-03-26 look here, and must not be asked for a token.
    '/.well-known/{*rest}': nothing,
  };
}
