/** Who asks: the port that turns a bearer token into an identity, and what an identity is. */
import type { AuthInfo } from './server-context.js';

/** What a bearer token is made of: wider than RFC 6750 has it, but nothing that a header could not carry. */
export const TOKEN = /^[\x21-\x7e]+$/;

/** RFC 6749, section 3.3: what a scope is made of; none of it ends a quoted text in a header. */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

export interface Identity {
  /**
   * What sessions, streams, states and places belong to: issuer, subject and client, never a token, so that a refreshed
   * token keeps what the former one opened. Empty: nobody was authenticated.
   */
  readonly principal: string;
  readonly authInfo: AuthInfo | undefined;
  /** When the token ends (epoch ms), and with it the streams that it opened. Undefined: never. */
  readonly expiresAt?: number;
  /**
   * What the token is good for, implied scopes included. Undefined: this kind of token carries no scopes and is good for
   * everything.
   */
  readonly scopes?: ReadonlySet<string>;
}

export type Verdict =
  | { readonly outcome: 'known'; readonly identity: Identity }
  /** `why` is told to the client: never a part of the token. */
  | { readonly outcome: 'refused'; readonly why: string };

/** A bearer token in, an identity out. Asked for every request; what it has found out before it may remember. */
export interface Authenticator {
  /**
   * Without waiting where nothing has to be fetched.
   * @throws VerifierUnavailable when it cannot be told now, through no fault of the token.
   */
  authenticate(token: string): Verdict | Promise<Verdict>;
}

/** The keys of the authorization server are out of reach. Not a word about the token. */
export class VerifierUnavailable extends Error {
  override readonly name = 'VerifierUnavailable';
}

export const ANONYMOUS: Identity = Object.freeze({ principal: '', authInfo: undefined });
