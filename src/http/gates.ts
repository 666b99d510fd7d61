/**
 * The gates that every request passes, in this order, on every route:
 *
 *   Host ─▶ Origin ─▶ CORS ─▶ authentication
 *
 * None of them looks at a session. Probes and metrics skip the Host gate only: balancers and scrapers call by address.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { faults } from './faults.js';
import { type HttpFault, sendEmpty } from './reply.js';
import type { Identity } from './request-context.js';

export interface GateOptions {
  /** Undefined: any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Undefined: any. Entries with a scheme are exact origins, others host names on any scheme and port. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Token to user; empty: nobody is authenticated. */
  readonly authTokens: ReadonlyMap<string, string>;
}

export interface Passed extends Identity {
  readonly outcome: 'passed';
}
export type GateResult =
  | Passed
  /** A CORS preflight, answered. */
  | { readonly outcome: 'answered' }
  | { readonly outcome: 'refused'; readonly fault: HttpFault };

export type Gates = (
  req: IncomingMessage,
  res: ServerResponse,
  options?: { readonly skipHost?: boolean },
) => GateResult;

const CORS_REQUEST_HEADERS =
  'Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method, Mcp-Name';
const CORS_RESPONSE_HEADERS = 'Mcp-Session-Id, WWW-Authenticate, Retry-After';

const ANONYMOUS: Passed = { outcome: 'passed', principal: '', authInfo: undefined };

export function createGates({ allowedHosts, allowedOrigins, authTokens }: GateOptions): Gates {
  const users = hashedTokens(authTokens);

  const authenticate = (req: IncomingMessage): GateResult => {
    if (users.size === 0) return ANONYMOUS;
    const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
    const user = token === undefined ? undefined : users.get(digest(token));
    if (token === undefined || user === undefined) return { outcome: 'refused', fault: faults.unauthorized() };
    return { outcome: 'passed', principal: `user:${user}`, authInfo: { token, clientId: user, scopes: [] } };
  };

  return (req, res, { skipHost = false } = {}) => {
    if (!skipHost && allowedHosts && !isAllowedHost(req.headers.host, allowedHosts)) {
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
    return authenticate(req);
  };
}

/** Headers that mirror a tool's arguments have names of the tool's choosing. */
function parameterHeaders(req: IncomingMessage): string[] {
  const asked = String(req.headers['access-control-request-headers'] ?? '').split(',');
  return asked.map((name) => name.trim()).filter((name) => /^mcp-param-[\w-]{1,64}$/i.test(name));
}

/** Tokens are looked up by their digest, so that how long a look-up takes says nothing about a token. */
function hashedTokens(tokens: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...tokens].map(([token, user]) => [digest(token), user]));
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
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
