/**
 * What a client is told that must show a token, or a better one: `WWW-Authenticate` (RFC 6750, RFC 9728), and the
 * metadata that it points to. Made of configuration, never of the request, so that every node says the same.
 */
import type { HttpFault } from './reply.js';

export interface ProtectedResource {
  /** The address of the endpoint as clients use it, which tokens are for. */
  readonly resource: string;
  /** The same of the older transport: its clients look for metadata of the address that they call (RFC 9728, section 3.3). */
  readonly sseResource: string;
  readonly issuer: string;
  /** Scopes that every request needs. */
  readonly scopes: readonly string[];
  /** All that some request may need. */
  readonly scopesSupported: readonly string[];
}

export interface Challenges {
  /** 401; `why` is unset where no token was shown. `path`: what was asked for. */
  unauthorized(fault: HttpFault, path: string | undefined, why?: string): HttpFault;
  /** 403 with all scopes that the operation needs, so that one new token is enough. */
  insufficientScope(fault: HttpFault, path: string | undefined, scopes: readonly string[], why?: string): HttpFault;
}

/** `resource` is unset where no authorization server stands behind the fleet. */
export function createChallenges(resource: ProtectedResource | undefined): Challenges {
  const own = resource && `resource_metadata="${metadataUrl(resource.resource)}"`;
  const sse = resource && `resource_metadata="${metadataUrl(resource.sseResource)}"`;
  const pointer = (path = ''): string | undefined => (/^\/(sse|messages)(\?|$)/.test(path) ? sse : own);
  const challenge = (parts: readonly (string | undefined)[]): Record<string, string> => {
    const given = parts.filter((part) => part !== undefined);
    return { 'WWW-Authenticate': given.length === 0 ? 'Bearer' : `Bearer ${given.join(', ')}` };
  };
  const scopePart = (scopes: readonly string[]): string | undefined =>
    scopes.length > 0 ? `scope="${scopes.join(' ')}"` : undefined;
  return {
    unauthorized(fault, path, why) {
      const error = why === undefined ? [] : ['error="invalid_token"', `error_description="${why}"`];
      return { ...fault, headers: challenge([...error, pointer(path), resource && scopePart(resource.scopes)]) };
    },
    insufficientScope(fault, path, scopes, why = 'this needs more scopes than the token has') {
      const description = `error_description="${why}"`;
      const headers = challenge(['error="insufficient_scope"', scopePart(scopes), pointer(path), description]);
      return { ...fault, headers };
    },
  };
}

export const METADATA_ROOT = '/.well-known/oauth-protected-resource';

/** RFC 9728, section 3.1: the well-known part stands between host and path. */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${METADATA_ROOT}${pathname === '/' ? '' : pathname}`;
}

/** RFC 9728, section 2. */
export function metadataOf({ issuer, scopesSupported }: ProtectedResource, resource: string): object {
  return {
    resource,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    ...(scopesSupported.length > 0 && { scopes_supported: scopesSupported }),
  };
}
