/** The limits on who asks, from the configuration. */
import { digestOf } from '../core/limits/digest.js';
import type { HeldPlaces } from '../core/limits/held-places.js';
import { RateLimiter } from '../core/limits/rate-limiter.js';
import type { Logger } from '../core/logger.js';
import type { Store } from '../core/ports/store.js';
import { createClientAddress } from '../http/client-address.js';
import { createLimits, type RequestLimits } from '../http/limits.js';
import type { Config } from './config-types.js';

export function assembleLimits(config: Config, store: Store, places: HeldPlaces, logger: Logger): RequestLimits {
  const rate = (by: 'user' | 'address', limit: number): RateLimiter =>
    new RateLimiter({
      rates: store.rates,
      limit,
      windowMs: config.rateWindowMs,
      counterOf: (who) => `${by}:${digestOf(who)}`,
      onFault: (error) => logger.error({ error }, 'limits: requests are counted by this node alone'),
    });
  return createLimits({
    rates: { user: rate('user', config.ratePerUser), address: rate('address', config.ratePerAddress) },
    sessions: { user: config.maxSessionsPerUser, address: config.maxSessionsPerAddress },
    streams: { user: config.maxStreamsPerUser, address: config.maxStreamsPerAddress },
    places,
    addressOf: createClientAddress(config.trustedProxies),
  });
}
