/** Tokens that stand in the configuration (`AUTH_TOKENS`), each a user's. They carry no scopes and do not end. */
import { hash } from 'node:crypto';
import type { Authenticator, Verdict } from '../core/authentication.js';

/** Tokens are looked up by their digest, so that how long a look-up takes says nothing about a token. */
export function createStaticTokens(tokens: ReadonlyMap<string, string>): Authenticator {
  const users = new Map([...tokens].map(([token, user]) => [digestOf(token), user]));
  return {
    authenticate(token): Verdict {
      const user = users.get(digestOf(token));
      if (user === undefined) return { outcome: 'refused', why: 'the token is not known' };
      const authInfo = { token, clientId: user, scopes: [] };
      return { outcome: 'known', identity: { principal: `user:${user}`, authInfo } };
    },
  };
}

export function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}
