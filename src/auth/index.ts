/** Authentication as configured: tokens of the configuration, of an authorization server, of both, or none at all. */
import type { Authenticator } from '../core/authentication.js';
import type { Logger } from '../core/logger.js';
import { createAccessTokens } from './access-tokens.js';
import type { ScopeImplications } from './scopes.js';
import { SigningKeys } from './signing-keys.js';
import { createStaticTokens } from './static-tokens.js';

export interface AuthenticationOptions {
  /** Token to user; empty: there are none. */
  readonly authTokens: ReadonlyMap<string, string>;
  readonly authIssuer: string | undefined;
  readonly authJwksUri: string | undefined;
  /** Whom tokens of the issuer must be for: one of these. */
  readonly authAudiences: readonly string[];
  readonly authScopeImplies: ScopeImplications;
}

/** Undefined: nobody is authenticated. */
export function createAuthenticator(options: AuthenticationOptions, logger: Logger): Authenticator | undefined {
  const { authTokens, authIssuer: issuer, authJwksUri: jwksUri, authAudiences: audiences } = options;
  const fixed = authTokens.size > 0 ? createStaticTokens(authTokens) : undefined;
  if (issuer === undefined) return fixed;
  if (audiences.length === 0)
    throw new TypeError('an issuer without an audience: tokens for anybody would be accepted');
  const keys = new SigningKeys({ issuer, jwksUri, logger });
  const issued = createAccessTokens({ issuer, audiences, keys, implications: options.authScopeImplies });
  if (!fixed) return issued;
  return {
    async authenticate(token) {
      const verdict = await fixed.authenticate(token);
      return verdict.outcome === 'known' ? verdict : issued.authenticate(token);
    },
  };
}
