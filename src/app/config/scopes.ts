/** Tokens of an authorization server: where it is, whom its tokens are for, and what their scopes open. */
import { SCOPE } from '../../core/authentication.js';
import { isLoopback } from './addresses.js';
import { splitList, Unacceptable } from './variable.js';

export const ISSUER_FORM = 'an https URL (http on loopback) without user, query and fragment';
export const JWKS_URI_FORM = 'an https URL (http on loopback)';
export const SCOPES_FORM = 'a comma list of scopes';
export const TOOL_SCOPES_FORM = 'a comma list of `tool=scope`, several scopes joined by `+`';
export const SCOPE_IMPLIES_FORM = 'a comma list of `broader>narrower`';

/** As it is given: a token's `iss` is compared letter by letter. */
export function parseIssuer(raw: string): string {
  if (!isTrusted(raw) || /[?#\s]/.test(raw)) throw new Unacceptable(ISSUER_FORM);
  return raw;
}

export function parseJwksUri(raw: string): string {
  if (!isTrusted(raw)) throw new Unacceptable(JWKS_URI_FORM);
  return raw;
}

/** Keys that come over a plain connection are anybody's keys. */
function isTrusted(raw: string): boolean {
  if (!URL.canParse(raw)) return false;
  const { protocol, hostname, username, password } = new URL(raw);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')));
}

export function parseScopes(raw: string): readonly string[] {
  const scopes = splitList(raw);
  if (!scopes.every((scope) => SCOPE.test(scope))) throw new Unacceptable(SCOPES_FORM);
  return [...new Set(scopes)];
}

export function parseToolScopes(raw: string): ReadonlyMap<string, readonly string[]> {
  const scopes = new Map<string, readonly string[]>();
  for (const entry of splitList(raw)) {
    const [, tool, list] = /^([^=\s]+)=(\S+)$/.exec(entry) ?? [];
    const names = list?.split('+') ?? [];
    if (tool === undefined || scopes.has(tool) || names.length === 0 || !names.every((name) => SCOPE.test(name))) {
      throw new Unacceptable(TOOL_SCOPES_FORM);
    }
    scopes.set(tool, names);
  }
  return scopes;
}

export function parseScopeImplies(raw: string): ReadonlyMap<string, readonly string[]> {
  const implied = new Map<string, string[]>();
  for (const entry of splitList(raw)) {
    const [broader, narrower, ...more] = entry.split('>');
    if (broader === undefined || narrower === undefined || more.length > 0) throw new Unacceptable(SCOPE_IMPLIES_FORM);
    if (!SCOPE.test(broader) || !SCOPE.test(narrower)) throw new Unacceptable(SCOPE_IMPLIES_FORM);
    implied.set(broader, [...(implied.get(broader) ?? []), narrower]);
  }
  return implied;
}
