/**
 * Bearer tokens and signing secrets. Faults name the place of an entry in its list, never the entry.
 */
import { TOKEN } from '../../core/authentication.js';
import { splitList, Unacceptable } from './variable.js';

export const AUTH_TOKENS_FORM = 'a comma list of user:token pairs';
export const STATE_SECRETS_FORM = 'a comma list of secrets, 32 bytes or more each, as base64url or text';

/** Shorter ones are tried out in reasonable time. */
export const LONG_ENOUGH_TOKEN = 16;
const MIN_SECRET_BYTES = 32;

/** Token to user. The user ends at the first colon: a token may contain more of them. */
export function parseAuthTokens(raw: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [index, entry] of splitList(raw).entries()) {
    const refuse = (why: string) => new Unacceptable(`${AUTH_TOKENS_FORM} (entry ${index + 1} ${why})`);
    const colon = entry.indexOf(':');
    if (colon < 0) throw refuse('has no colon');
    const user = entry.slice(0, colon);
    const token = entry.slice(colon + 1);
    if (user === '') throw refuse('has no user');
    if (token === '') throw refuse('has no token');
    // No request could carry it: a header's token ends at white space.
    if (/\s/.test(entry)) throw refuse('contains white space');
    if (!TOKEN.test(token)) throw refuse('has a token of other than printable ASCII characters');
    const owner = users.get(token);
    if (owner !== undefined && owner !== user) throw refuse("has another user's token");
    users.set(token, user);
  }
  return users;
}

export function parseStateSecrets(raw: string): readonly Uint8Array[] {
  return splitList(raw).map((entry, index) => {
    const bytes = decodeSecret(entry);
    if (bytes.length < MIN_SECRET_BYTES) {
      throw new Unacceptable(`${STATE_SECRETS_FORM} (entry ${index + 1} has ${bytes.length})`);
    }
    return bytes;
  });
}

/** Base64url where that gives enough bytes; else the text itself, which may happen to look like base64url. */
function decodeSecret(entry: string): Uint8Array {
  if (/^[A-Za-z0-9_-]+={0,2}$/.test(entry)) {
    const decoded = Buffer.from(entry, 'base64url');
    if (decoded.length >= MIN_SECRET_BYTES) return Uint8Array.from(decoded);
  }
  return new TextEncoder().encode(entry);
}
