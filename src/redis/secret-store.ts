/** Secrets as plain keys. Guarantees: core/ports/secret-store.ts. */
import type { SecretStore } from '../core/ports/secret-store.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

const LIFE_MS = 90 * 24 * 60 * 60 * 1000;

export function createRedisSecretStore(redis: RedisConnection, keys: Keys): SecretStore {
  return {
    shared: (name, candidate) =>
      redis.run<string>(scripts.sharedSecret, [keys.secret(name)], [candidate, String(LIFE_MS)]),
  };
}
