/**
 * What a client is told that must show a token, or a better one: `WWW-Authenticate` (RFC 6750, RFC 9728), and the
 * metadata that it points to. Made of configuration, never of the request, so that every node says the same.
 */
import type { HttpFault } from './reply.js';

export interface ProtectedResource {
  /** The address of the endpoint as clients use it, which tokens are for. */
  readonly resource: string;
  readonly issuer: string;
  /** Scopes that every request needs. */
  readonly scopes: readonly string[];
  /** All that some request may need. */
  readonly scopesSupported: readonly string[];
}

export interface Challenges {
  /** 401; `why` is unset where no token was shown. */
  unauthorized(fault: HttpFault, why?: string): HttpFault;
  /** 403 with all scopes that the operation needs, so that one new token is enough. */
  insufficientScope(fault: HttpFault, scopes: readonly string[]): HttpFault;
}

/** `resource` is unset where no authorization server stands behind the fleet. */
export function createChallenges(resource: ProtectedResource | undefined): Challenges {
  const pointer = resource && `resource_metadata="${metadataUrl(resource.resource)}"`;
  const challenge = (parts: readonly (string | undefined)[]): Record<string, string> => {
    const given = parts.filter((part) => part !== undefined);
    return { 'WWW-Authenticate': given.length === 0 ? 'Bearer' : `Bearer ${given.join(', ')}` };
  };
  const scopePart = (scopes: readonly string[]): string | undefined =>
    scopes.length > 0 ? `scope="${scopes.join(' ')}"` : undefined;
  return {
    unauthorized(fault, why) {
      const error = why === undefined ? [] : ['error="invalid_token"', `error_description="${why}"`];
      return { ...fault, headers: challenge([...error, pointer, resource && scopePart(resource.scopes)]) };
    },
    insufficientScope(fault, scopes) {
      const description = 'error_description="this needs more scopes than the token has"';
      const headers = challenge(['error="insufficient_scope"', scopePart(scopes), pointer, description]);
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
export function metadataOf({ resource, issuer, scopesSupported }: ProtectedResource): object {
  return {
    resource,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    ...(scopesSupported.length > 0 && { scopes_supported: scopesSupported }),
  };
}
