/**
 * Access tokens of an authorization server: JWTs for this resource, signed with a key of the issuer (RFC 9068).
 *
 * A signature is checked once and the outcome is remembered for a minute, by the token's digest; the token's life is
 * looked at on every request. A key that the issuer withdraws stops counting when keys are fetched again.
 */
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type Authenticator, type Identity, type Verdict, VerifierUnavailable } from '../core/authentication.js';
import { type ScopeImplications, scopesOf, withImplied } from './scopes.js';
import type { SigningKeys } from './signing-keys.js';
import { digestOf } from './static-tokens.js';

/** Public-key signatures only: with a shared secret every resource server could make tokens. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Clocks of the fleet and of the issuer differ by a little. Streams end by the same measure as requests are refused. */
const TOLERANCE_S = 2;
const REMEMBERED_MS = 60_000;
/** Bounds what a flood of tokens can make a node remember; each is a few hundred bytes. */
const REMEMBERED = 10_000;
/**
 * What the header may say that the token is (RFC 8725, section 3.11); many servers say `JWT`, or nothing. An issuer signs
 * other things with the same keys, such as logout tokens and security events, and none of them opens anything.
 */
const TYPES = new Set([undefined, 'jwt', 'at+jwt']);
/** Longer ones do not fit into the usual header limits; nobody's time is spent on their signature. */
const MAX_LENGTH = 16_384;

export interface AccessTokensOptions {
  readonly issuer: string;
  /** Whom tokens may be for; one is enough. */
  readonly audiences: readonly string[];
  readonly keys: SigningKeys;
  readonly implications: ScopeImplications;
}

interface Remembered {
  readonly until: number;
  readonly identity: Identity;
}

export function createAccessTokens(options: AccessTokensOptions): Authenticator {
  const remembered = new Map<string, Remembered>();
  const rules: JWTVerifyOptions = {
    issuer: options.issuer,
    audience: [...options.audiences],
    algorithms: ALGORITHMS,
    clockTolerance: TOLERANCE_S,
    requiredClaims: ['exp'],
  };

  const remember = (digest: string, identity: Identity): void => {
    if (remembered.size >= REMEMBERED) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    remembered.set(digest, { until: Date.now() + REMEMBERED_MS, identity });
  };

  const verify = async (token: string, digest: string): Promise<Verdict> => {
    let verified: { readonly payload: JWTPayload; readonly protectedHeader: { readonly typ?: unknown } };
    try {
      verified = await verifyWithAnyKey(token, options.keys, rules);
    } catch (error) {
      if (error instanceof errors.JOSEError) return { outcome: 'refused', why: reasonOf(error) };
      if (error instanceof VerifierUnavailable) throw error;
      // A published key that is too short or no key at all: whoever names it must not make faults of ours out of it.
      return { outcome: 'refused', why: 'the token is signed with a key that cannot be used' };
    }
    if (!TYPES.has(typeOf(verified.protectedHeader))) {
      return { outcome: 'refused', why: 'the token is no access token' };
    }
    const identity = identityOf(verified.payload, token, options);
    if (!identity) return { outcome: 'refused', why: 'the token names neither subject nor client' };
    remember(digest, identity);
    return { outcome: 'known', identity };
  };

  return {
    authenticate(token) {
      if (token.length > MAX_LENGTH) return { outcome: 'refused', why: 'the token is too long' };
      const digest = digestOf(token);
      const known = remembered.get(digest);
      if (known && known.until > Date.now()) {
        if (hasEnded(known.identity)) return { outcome: 'refused', why: 'the token has expired' };
        return { outcome: 'known', identity: known.identity };
      }
      remembered.delete(digest);
      return verify(token, digest);
    },
  };
}

/** A token that does not name its key may be signed with any of several. */
async function verifyWithAnyKey(token: string, keys: SigningKeys, rules: JWTVerifyOptions) {
  try {
    return await jwtVerify(token, keys.find, rules);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, rules);
      } catch (inner) {
        if (!(inner instanceof errors.JWSSignatureVerificationFailed)) throw inner;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function typeOf({ typ }: { readonly typ?: unknown }): string | undefined {
  return typ === undefined
    ? undefined
    : String(typ)
        .toLowerCase()
        .replace(/^application\//, '');
}

function hasEnded({ expiresAt }: Identity): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

/** Issuer, subject and client; the first audience and the token's own id change with every refresh. */
function identityOf(payload: JWTPayload, token: string, options: AccessTokensOptions): Identity | undefined {
  const client = textOf(payload.client_id) ?? textOf(payload.azp) ?? '';
  const subject = textOf(payload.sub) ?? '';
  if (subject === '' && client === '') return undefined;
  const scopes = scopesOf(payload);
  const expiresAt = payload.exp as number;
  return {
    // Encoded one by one, so that no two triples make the same text, and none has a line break.
    principal: ['jwt', options.issuer, subject, client].map(encodeURIComponent).join(' '),
    authInfo: {
      token,
      clientId: client === '' ? subject : client,
      scopes,
      expiresAt,
      ...resourceOf(payload, options),
      extra: { issuer: options.issuer, subject, claims: payload },
    },
    expiresAt: (expiresAt + TOLERANCE_S) * 1000,
    scopes: withImplied(scopes, options.implications),
  };
}

/** Which of the audiences it was that let the token in. */
function resourceOf({ aud = [] }: JWTPayload, { audiences }: AccessTokensOptions): { resource?: URL } {
  const audience = audiences.find((one) => [aud].flat().includes(one));
  return audience !== undefined && URL.canParse(audience) ? { resource: new URL(audience) } : {};
}

function textOf(value: unknown): string | undefined {
  // A text with half a character cannot be written where principals are kept; two such texts could become one there.
  return typeof value === 'string' && value !== '' && !/\p{Surrogate}/u.test(value) ? value : undefined;
}

/** In our own words: jose's name claims and values, some of which are the client's. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'the token is for another resource';
    if (error.claim === 'iss') return 'the token is of another issuer';
    if (error.claim === 'nbf') return 'the token is not valid yet';
    return 'a claim of the token is missing or wrong';
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the token is signed with an algorithm that is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey) return 'the token is signed with a key that is not of the issuer';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  return 'the token is malformed';
}
