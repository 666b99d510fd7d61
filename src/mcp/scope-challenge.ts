/**
 * What a request needs that the token of its caller lacks, as SDK 2.x lets a module say it where it registers a tool, a
 * resource or a prompt (`scopeChallenge`). Its servers hand a resolver to their transport; whoever has the transport has to
 * ask it before the server sees the request.
 *
 * In the modern era the SDK's own handler asks, but only servers of its own copy of the SDK.
 *
 * Not here: the scopes that annotations and the configuration name (tool-scopes.ts).
 */
import { SCOPE } from '../core/authentication.js';
import {
  ErrorCode,
  errorResponse,
  type JsonRpcId,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from '../core/jsonrpc.js';
import type { AuthInfo } from '../core/server-context.js';

export interface ScopeChallenge {
  readonly scopes: readonly string[];
  readonly errorDescription?: string;
}

/** Undefined, or a promise of it: nothing is lacking. What the module's code gives is not known to be what it should be. */
export type ScopeResolver = (context: { request: JsonRpcRequest; authInfo?: AuthInfo }) => unknown;

/** The token is not good for the request: 403 with this challenge. */
export class ScopesLacking extends Error {
  override readonly name = 'ScopesLacking';
  readonly challenge: ScopeChallenge;

  constructor(challenge: ScopeChallenge) {
    super(`scopes are lacking: ${challenge.scopes.join(' ')}`);
    this.challenge = challenge;
  }
}

/** The answer where there is no status of its own: on a stream. */
export function scopesLacking(id: JsonRpcId, { scopes, errorDescription: why }: ScopeChallenge): JsonRpcResponse {
  const message = `Forbidden: ${why ?? 'the token does not have the scopes that this needs'}`;
  return errorResponse(id, ErrorCode.Transport, message, { scopes });
}

/**
 * All that the requests lack, so that one new token is enough. A promise only where the module has anything to say; it rejects
 * with what the module throws, and where nobody could tell what a challenge means: then nobody is let through.
 */
export function findChallenge(
  resolve: ScopeResolver,
  requests: readonly JsonRpcRequest[],
  authInfo: AuthInfo | undefined,
): undefined | Promise<ScopeChallenge | undefined> {
  const ask = (request: JsonRpcRequest): unknown => resolve({ request, ...(authInfo && { authInfo }) });
  for (const [i, request] of requests.entries()) {
    try {
      const said = ask(request);
      if (said !== undefined) return unite(said, requests.slice(i + 1), ask);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  return undefined;
}

async function unite(
  first: unknown,
  others: readonly JsonRpcRequest[],
  ask: (request: JsonRpcRequest) => unknown,
): Promise<ScopeChallenge | undefined> {
  const challenges = [await first];
  for (const request of others) challenges.push(await ask(request));
  const lacking = challenges.filter((challenge) => challenge !== undefined).map(checked);
  const [one] = lacking;
  return one && { ...one, scopes: [...new Set(lacking.flatMap(({ scopes }) => scopes))] };
}

/** RFC 6750, section 3: what may stand between the quotes of a challenge. */
const DESCRIPTION = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

function checked(said: unknown): ScopeChallenge {
  const { scopes, errorDescription: why } = (said ?? {}) as Partial<Record<keyof ScopeChallenge, unknown>>;
  const isScope = (scope: unknown): scope is string => typeof scope === 'string' && SCOPE.test(scope);
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) {
    throw new TypeError('a scope challenge names no scopes');
  }
  if (why === undefined) return { scopes };
  if (typeof why !== 'string' || !DESCRIPTION.test(why))
    throw new TypeError('a scope challenge has a description of a wrong form');
  return { scopes, errorDescription: why };
}

/** The challenge in a refusal of the SDK's own handler (RFC 6750, section 3). */
export function challengeIn(response: Response): ScopeChallenge {
  const header = response.headers.get('www-authenticate') ?? '';
  const described = /error_description="([^"]*)"/;
  const errorDescription = described.exec(header)?.[1];
  // Whatever the description may contain.
  const scopes = /\bscope="([^"]*)"/.exec(header.replace(described, ''))?.[1]?.split(' ') ?? [];
  return { scopes, ...(errorDescription !== undefined && { errorDescription }) };
}
