/**
 * Limits on who asks: requests, sessions and streams of one principal and of one client address, over the whole fleet.
 *
 * Requests are counted after the gates and before anything of the body is read, so that a flood is refused as cheaply as
 * can be; the answer then has no id. Somebody who was not authenticated is counted by address only. Probes and metrics
 * are not counted.
 *
 * Not here: bytes and shape of a body (body.ts, messages.ts), running calls (mcp/running-calls.ts), the state of a session
 * (core/limits/state-size.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../core/authentication.js';
import { digestOf } from '../core/limits/digest.js';
import type { HeldPlaces } from '../core/limits/held-places.js';
import type { RateLimiter, Verdict } from '../core/limits/rate-limiter.js';
import type { RefusalReason } from '../core/metrics.js';
import type { Place } from '../core/ports/slots.js';
import type { Full } from '../mcp/session-opening.js';
import { faults } from './faults.js';
import type { HttpFault } from './reply.js';

/** For each: 0 is no limit. */
export interface PerOne {
  readonly user: number;
  readonly address: number;
}

export interface LimitOptions {
  readonly rates: { readonly user: RateLimiter; readonly address: RateLimiter };
  readonly sessions: PerOne;
  readonly streams: PerOne;
  readonly places: HeldPlaces;
  readonly addressOf: (req: IncomingMessage) => string;
}

export interface CountedPlace extends Place {
  readonly reason: RefusalReason;
}

export interface RequestLimits {
  /** Counts a request. A promise only where the store has to be asked. Undefined: it may go on. */
  admit(req: IncomingMessage, identity: Identity): HttpFault | undefined | Promise<HttpFault | undefined>;
  /** The places that a session opened by this request needs. */
  sessionPlaces(req: IncomingMessage, identity: Identity): readonly CountedPlace[];
  /** Takes the places of a stream; they are given back when the response is over. @throws StoreUnavailable */
  holdStream(req: IncomingMessage, res: ServerResponse, identity: Identity): Promise<HttpFault | undefined>;
}

export function createLimits(options: LimitOptions): RequestLimits {
  const { rates, sessions, streams, places, addressOf } = options;

  const placesOf = (
    what: 'sessions' | 'streams',
    limits: PerOne,
    req: IncomingMessage,
    { principal }: Identity,
  ): CountedPlace[] => {
    const needed: CountedPlace[] = [];
    // The kind is part of the pool's name: a principal may be called like an address.
    const add = (by: 'user' | 'address', who: string, limit: number): void => {
      if (limit > 0) needed.push({ pool: `${what}:${by}:${digestOf(who)}`, limit, reason: `${what}_${by}` });
    };
    if (principal !== '') add('user', principal, limits.user);
    if (limits.address > 0) add('address', addressOf(req), limits.address);
    return needed;
  };

  const byUser = (principal: string): Verdict | Promise<Verdict> =>
    principal === '' ? undefined : rates.user.admit(principal);

  /** One of few addresses first: what it is refused must not be taken from its user. */
  const throughBoth = async (address: Promise<Verdict>, principal: string): Promise<HttpFault | undefined> => {
    const wait = await address;
    return wait !== undefined ? faults.tooManyRequests('rate_address', wait) : refusal(await byUser(principal));
  };
  const refusal = (wait: Verdict): HttpFault | undefined =>
    wait === undefined ? undefined : faults.tooManyRequests('rate_user', wait);

  return {
    admit(req, { principal }) {
      if (rates.address.on) {
        const wait = rates.address.admit(addressOf(req));
        if (wait instanceof Promise) return throughBoth(wait, principal);
        if (wait !== undefined) return faults.tooManyRequests('rate_address', wait);
      }
      const wait = byUser(principal);
      return wait instanceof Promise ? wait.then(refusal) : refusal(wait);
    },

    sessionPlaces: (req, identity) => placesOf('sessions', sessions, req, identity),

    async holdStream(req, res, identity) {
      const needed = placesOf('streams', streams, req, identity);
      if (needed.length === 0) return undefined;
      const taken = await places.take(needed);
      if (taken.outcome === 'full') return faults.tooMany(taken.place.reason, taken.place.limit);
      // The client may have gone while the store was asked; `close` comes once and would not come again.
      if (res.destroyed || res.closed) taken.release();
      else res.once('close', taken.release);
      return undefined;
    },
  };
}

/** A session that is refused: the fleet as a whole is full, or one of the places that it needs is not to be had. */
export function noRoom(full: Full, places: readonly CountedPlace[]): HttpFault {
  const place = places.find((one) => one === full);
  return place ? faults.tooMany(place.reason, place.limit) : faults.full();
}
