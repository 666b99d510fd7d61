/** Scopes: reading them out of a token, and what the broader ones imply. */

/** For each scope, those that it includes. */
export type ScopeImplications = ReadonlyMap<string, readonly string[]>;

/** The scopes of a token and all that they imply, over as many steps as there are. */
export function withImplied(granted: readonly string[], implications: ScopeImplications): ReadonlySet<string> {
  const all = new Set<string>();
  const open = [...granted];
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    if (all.has(scope)) continue;
    all.add(scope);
    open.push(...(implications.get(scope) ?? []));
  }
  return all;
}

/** `scope` is a text with spaces (RFC 9068); some servers write a list, or call it `scp`. */
export function scopesOf(claims: Readonly<Record<string, unknown>>): string[] {
  const value = claims.scope ?? claims.scp;
  if (typeof value === 'string') return value.split(' ').filter((scope) => scope !== '');
  return Array.isArray(value) ? value.filter((scope): scope is string => typeof scope === 'string') : [];
}
