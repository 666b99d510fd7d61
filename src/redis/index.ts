/** The Redis store: the product's answer to the ports. The only folder that imports `redis`. */
import type { Logger } from '../core/logger.js';
import type { Store, StoreLimits } from '../core/ports/store.js';
import type { RedisTarget } from '../core/redis-target.js';
import { createRedisBroker } from './broker.js';
import { createRedisCallJournal } from './call-journal.js';
import { createRedisChangeLog } from './change-log.js';
import { type ConnectionOptions, RedisConnection } from './connection.js';
import { createTopology } from './create-topology.js';
import { createRedisEventLog } from './event-log.js';
import { FaultReports } from './faults.js';
import { Keys } from './keys.js';
import { createRedisNodeRegistry } from './node-registry.js';
import { createRedisRates } from './rates.js';
import { createRedisSecretStore } from './secret-store.js';
import { createRedisSessionStore } from './session-store.js';
import { createRedisSlots } from './slots.js';

export interface RedisStoreOptions extends Pick<ConnectionOptions, 'onCommand' | 'onUp'> {
  readonly target: RedisTarget;
  readonly keyPrefix: string;
  readonly limits: StoreLimits;
  /** No command is waited for longer. */
  readonly timeoutMs: number;
  readonly logger: Logger;
}

/**
 * Connects and returns the store. Resolves also while Redis is away: then every call throws `StoreUnavailable` until
 * it is back.
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { target, limits, timeoutMs, logger } = options;
  const keys = new Keys(options.keyPrefix);
  const reports = new FaultReports(logger, target.tls !== undefined);
  const topology = createTopology({ target, timeoutMs, reports });
  const redis = new RedisConnection({ ...options, keys, topology, reports });
  await redis.connect();
  let token = '';
  const setToken = (value: string): void => {
    token = value;
  };
  const broker = createRedisBroker({ redis, topology, access: target, keys, limits, timeoutMs, logger, setToken });
  return {
    kind: 'redis',
    sessions: createRedisSessionStore(redis, keys, limits, target.kind === 'cluster'),
    log: createRedisEventLog(redis, keys, limits, () => token),
    calls: createRedisCallJournal(redis, keys, limits),
    changes: createRedisChangeLog(redis, keys, limits),
    broker,
    nodes: createRedisNodeRegistry(redis, keys, limits),
    slots: createRedisSlots(redis, keys, limits),
    rates: createRedisRates(redis, keys),
    secrets: createRedisSecretStore(redis, keys),
    ping: async () => void (await redis.command(keys.health, 'PING')),
    checkWritable: async () => void (await redis.command(keys.health, 'SET', keys.health, '1', 'PX', '10000')),
    async close() {
      broker.close();
      redis.close();
      topology.close();
    },
  };
}
