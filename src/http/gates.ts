/**
 * The gates that every request passes, in this order, on every route:
 *
 *   Host ─▶ Origin ─▶ CORS ─▶ authentication ─▶ authorization (what every request needs)
 *
 * None of them looks at a session, and none reads a body. Behind them stand size and shape, then the era, then what a
 * single tool needs (authorization.ts). Probes and metrics skip the Host gate only: balancers and scrapers call by
 * address. What tells clients where to get a token asks for none.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ANONYMOUS, type Authenticator, type Identity, TOKEN, type Verdict } from '../core/authentication.js';
import type { Challenges } from './challenge.js';
import { faults } from './faults.js';
import { type HttpFault, sendEmpty } from './reply.js';

export interface GateOptions {
  /** Undefined: any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Undefined: any. Entries with a scheme are exact origins, others host names on any scheme and port. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Undefined: nobody is authenticated. */
  readonly authenticator: Authenticator | undefined;
  /** What every token with scopes needs. */
  readonly scopes: readonly string[];
  readonly challenges: Challenges;
}

export interface Passed {
  readonly outcome: 'passed';
  readonly identity: Identity;
}
export type GateResult =
  | Passed
  /** A CORS preflight, answered. */
  | { readonly outcome: 'answered' }
  | { readonly outcome: 'refused'; readonly fault: HttpFault };

export interface GateExceptions {
  readonly skipHost?: boolean;
  readonly skipAuthentication?: boolean;
}

/** @throws VerifierUnavailable */
export type Gates = (
  req: IncomingMessage,
  res: ServerResponse,
  exceptions?: GateExceptions,
) => GateResult | Promise<GateResult>;

const CORS_REQUEST_HEADERS =
  'Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method, Mcp-Name, ' +
  'X-Request-Id, traceparent, tracestate, baggage';
const CORS_RESPONSE_HEADERS = 'Mcp-Session-Id, WWW-Authenticate, Retry-After, X-Request-Id';

const NOBODY: Passed = { outcome: 'passed', identity: ANONYMOUS };

export function createGates(options: GateOptions): Gates {
  const { allowedHosts, allowedOrigins, authenticator, scopes, challenges } = options;

  const judge = (verdict: Verdict, req: IncomingMessage): GateResult => {
    if (verdict.outcome === 'refused') {
      return { outcome: 'refused', fault: challenges.unauthorized(faults.unauthorized(), req.url, verdict.why) };
    }
    const { identity } = verdict;
    for (const scope of scopes) {
      if (identity.scopes && !identity.scopes.has(scope)) {
        return { outcome: 'refused', fault: challenges.insufficientScope(faults.insufficientScope(), req.url, scopes) };
      }
    }
    // Verified, and of no further use: handlers get it as `authInfo`, and nobody passes it on with the other headers.
    delete req.headers.authorization;
    return { outcome: 'passed', identity };
  };

  const authenticate = (req: IncomingMessage): GateResult | Promise<GateResult> => {
    if (!authenticator) return NOBODY;
    const { authorization } = req.headers;
    if (authorization === undefined) {
      return { outcome: 'refused', fault: challenges.unauthorized(faults.unauthorized(), req.url) };
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined || !TOKEN.test(token))
      return judge({ outcome: 'refused', why: 'no bearer token is given' }, req);
    const verdict = authenticator.authenticate(token);
    return 'outcome' in verdict ? judge(verdict, req) : verdict.then((later) => judge(later, req));
  };

  return (req, res, { skipHost = false, skipAuthentication = false } = {}) => {
    if (!skipHost && allowedHosts && !namesAllowedHosts(req, allowedHosts)) {
      return { outcome: 'refused', fault: faults.hostNotAllowed() };
    }
    const { origin } = req.headers;
    if (origin !== undefined) {
      if (allowedOrigins && !isAllowedOrigin(origin, allowedOrigins)) {
        return { outcome: 'refused', fault: faults.originNotAllowed() };
      }
      res.setHeader('Access-Control-Allow-Origin', origin);
      res.setHeader('Access-Control-Expose-Headers', CORS_RESPONSE_HEADERS);
      res.setHeader('Vary', 'Origin');
      if (req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined) {
        // Answered before authentication: browsers send no token with a preflight.
        sendEmpty(res, 204, {
          'Access-Control-Allow-Methods': 'GET, POST, DELETE',
          'Access-Control-Allow-Headers': [CORS_REQUEST_HEADERS, ...parameterHeaders(req)].join(', '),
          'Access-Control-Max-Age': '600',
        });
        return { outcome: 'answered' };
      }
    }
    return skipAuthentication ? NOBODY : authenticate(req);
  };
}

/** Headers that mirror a tool's arguments have names of the tool's choosing. */
function parameterHeaders(req: IncomingMessage): string[] {
  const asked = String(req.headers['access-control-request-headers'] ?? '').split(',');
  return asked.map((name) => name.trim()).filter((name) => /^mcp-param-[\w-]{1,64}$/i.test(name));
}

/**
 * Every host that a request names must be allowed: a proxy may have gone by another `Host` than the first, which is the
 * one Node shows, or by the authority of an absolute target.
 */
function namesAllowedHosts({ url = '/', headers, rawHeaders }: IncomingMessage, allowed: readonly string[]): boolean {
  if (!isAllowedHost(headers.host, allowed)) return false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 4 || rawHeaders[i + 1] === headers.host || name.toLowerCase() !== 'host') continue;
    if (!isAllowedHost(rawHeaders[i + 1], allowed)) return false;
  }
  return url.startsWith('/') || !URL.canParse(url) || isAllowedHost(new URL(url).host, allowed);
}

/** `Host` without its port must be listed, or with it where the list names one. */
function isAllowedHost(host: string | undefined, allowed: readonly string[]): boolean {
  if (host === undefined) return false;
  const whole = host.toLowerCase();
  return allowed.includes(whole) || allowed.includes(whole.replace(/:\d+$/, ''));
}

function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  const whole = origin.toLowerCase();
  if (allowed.includes(whole)) return true;
  if (!URL.canParse(whole)) return false;
  const { protocol, hostname, host } = new URL(whole);
  return (protocol === 'http:' || protocol === 'https:') && (allowed.includes(hostname) || allowed.includes(host));
}
