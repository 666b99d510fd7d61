/**
 * The public keys of the authorization server: found by its metadata where no address is configured, fetched when they
 * are needed, and kept.
 *
 * Keys are fetched again behind the scenes every ten minutes, so that one that was withdrawn stops counting; an
 * authorization server that is away is survived for an hour with the keys at hand. A key nobody has seen makes the node
 * look at once, but not more often than a small budget allows: whoever sends made-up key names must not turn the fleet
 * against the authorization server.
 */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { VerifierUnavailable } from '../core/authentication.js';
import type { Logger } from '../core/logger.js';

const FETCH_MS = 1500;
const REFRESH_MS = 600_000;
/** Keys that were not fetched again for so long are looked at before they are believed. */
const OVERDUE_MS = REFRESH_MS + 30_000;
const MAX_AGE_MS = 3_600_000;
/** After a failed fetch the next is tried no sooner; requests in between are told at once. */
const FAILED_MS = 1000;
/** Looks for unknown keys: so many at once, and one more in each such time. */
const LOOKS = 5;
const LOOK_MS = 10_000;

export interface SigningKeysOptions {
  readonly issuer: string;
  /** Undefined: read out of the issuer's metadata. */
  readonly jwksUri: string | undefined;
  readonly logger: Logger;
}

export class SigningKeys {
  readonly #options: SigningKeysOptions;
  #keySet: ReturnType<typeof createRemoteJWKSet> | undefined;
  #discovery: Promise<string> | undefined;
  #refreshed = 0;
  #failed = Number.NEGATIVE_INFINITY;
  #looks = LOOKS;
  #looked = performance.now();

  constructor(options: SigningKeysOptions) {
    this.#options = options;
  }

  /** For jose: the key that a token was signed with. @throws VerifierUnavailable, jose's errors about the token */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const keySet = await this.#open();
    try {
      return await keySet(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (!this.#mayLook()) throw error;
      await this.#fetch(keySet);
      return keySet(header, token);
    }
  };

  async #open(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    this.#keySet ??= createRemoteJWKSet(new URL(await this.#address()), {
      timeoutDuration: FETCH_MS,
      cacheMaxAge: MAX_AGE_MS,
      // Looking again is decided here.
      cooldownDuration: Number.POSITIVE_INFINITY,
    });
    const age = performance.now() - this.#refreshed;
    if (!this.#keySet.fresh) await this.#fetch(this.#keySet);
    else if (age > REFRESH_MS && this.#mayTry()) {
      const fetched = this.#fetch(this.#keySet).catch(() => undefined);
      // Nobody waits for this one, unless nobody came for so long that a withdrawn key would still count for the first
      // who does. While the issuer is away it is waited for once.
      if (age > OVERDUE_MS && this.#failed < this.#refreshed) await fetched;
    }
    return this.#keySet;
  }

  async #address(): Promise<string> {
    const { issuer, jwksUri } = this.#options;
    if (jwksUri !== undefined) return jwksUri;
    if (!this.#discovery) {
      if (!this.#mayTry()) throw new VerifierUnavailable('the authorization server is out of reach');
      this.#discovery = discover(issuer);
      this.#discovery.catch((error: Error) => {
        this.#discovery = undefined;
        this.#hasFailed(error);
      });
    }
    return this.#discovery;
  }

  async #fetch(keySet: ReturnType<typeof createRemoteJWKSet>): Promise<void> {
    if (!keySet.reloading && !this.#mayTry()) {
      throw new VerifierUnavailable('the keys of the authorization server are out of reach');
    }
    try {
      await keySet.reload();
      this.#refreshed = performance.now();
    } catch (error) {
      this.#hasFailed(error as Error);
      throw new VerifierUnavailable('the keys of the authorization server are out of reach', { cause: error });
    }
  }

  #mayTry(): boolean {
    return performance.now() - this.#failed > FAILED_MS;
  }

  #hasFailed(error: Error): void {
    if (!this.#mayTry()) return;
    this.#failed = performance.now();
    this.#options.logger.warn({ error, issuer: this.#options.issuer }, 'authorization server out of reach');
  }

  #mayLook(): boolean {
    const earned = Math.floor((performance.now() - this.#looked) / LOOK_MS);
    if (earned > 0) {
      this.#looks = Math.min(LOOKS, this.#looks + earned);
      this.#looked += earned * LOOK_MS;
    }
    if (this.#looks === 0) return false;
    this.#looks -= 1;
    return true;
  }
}

/** RFC 8414 puts the well-known part before the issuer's path, OpenID Connect behind it. */
async function discover(issuer: string): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  let cause: unknown;
  for (const place of places) {
    try {
      const response = await fetch(place, { redirect: 'error', signal: AbortSignal.timeout(FETCH_MS / places.length) });
      const metadata = response.ok ? ((await response.json()) as Record<string, unknown>) : {};
      // Metadata of somebody else must not name our keys (RFC 8414, section 3.3).
      const { jwks_uri: keys } = metadata;
      if (metadata.issuer === issuer && typeof keys === 'string' && URL.canParse(keys)) return keys;
    } catch (error) {
      cause = error;
    }
  }
  throw new VerifierUnavailable('the metadata of the authorization server is out of reach', { cause });
}
