/**
 * Harnesses on one Redis server of a suite, and a look at what they left there.
 *
 * Each harness has a key prefix of its own. Closing it checks what must hold after any use: no key lives for ever.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { parseRedisUrl } from '../../src/app/redis-url.js';
import { silentLogger } from '../../src/core/logger.js';
import type { Store, StoreLimits } from '../../src/core/ports/store.js';
import { createRedisStore } from '../../src/redis/index.js';
import { createInspector, type Inspector, type RedisEntrance, startRedis } from '../support/redis.js';
import { type Harness, LONG_LIMITS } from './harness.js';

/** These suites are about semantics; how late a command may be is tested where the connection is. */
const TIMEOUT_MS = 5_000;

export interface RedisHarness extends Harness {
  readonly prefix: string;
}

export interface RedisInspector {
  open(first?: Partial<StoreLimits>, second?: Partial<StoreLimits>): Promise<RedisHarness>;
  client(): Inspector;
  /** Names of all keys that contain a text. */
  keysWith(part: string): Promise<string[]>;
  expectLifeTimes(prefix: string): Promise<void>;
}

/** Starts a server before the tests of the enclosing suite and stops it after them. */
export function useRedis(start: () => Promise<RedisEntrance> = startRedis): RedisInspector {
  let server: RedisEntrance | undefined;
  let client: Inspector | undefined;

  before(async function () {
    // Where Redis is not there yet it is installed first.
    this.timeout(300_000);
    server = await start();
    client = server.inspector?.() ?? createInspector(server.url);
    await client.connect();
  });

  after(async () => {
    client?.destroy();
    await server?.stop();
  });

  function started<T>(value: T | undefined): T {
    if (value === undefined) throw new Error('Redis is there between before() and after() only');
    return value;
  }

  async function keysWith(part: string): Promise<string[]> {
    const keys = await started(client).keys('*');
    return keys.filter((key) => key.includes(part));
  }

  async function expectLifeTimes(prefix: string): Promise<void> {
    for (const key of await keysWith(prefix)) {
      // -2: it ended since; -1 would be for ever.
      expect(await started(client).pTTL(key), `life of ${key}`).not.to.equal(-1);
    }
  }

  async function open(first: Partial<StoreLimits> = {}, second = first): Promise<RedisHarness> {
    const prefix = `test-${randomBytes(6).toString('hex')}:`;
    const openStore = (limits: Partial<StoreLimits>): Promise<Store> =>
      createRedisStore({
        target: parseRedisUrl(started(server).url),
        keyPrefix: prefix,
        limits: { ...LONG_LIMITS, ...limits },
        timeoutMs: TIMEOUT_MS,
        logger: silentLogger,
      });
    const stores = [await openStore(first), await openStore(second)] as const;
    return {
      prefix,
      stores,
      async close() {
        try {
          await expectLifeTimes(prefix);
        } finally {
          for (const store of stores) await store.close();
        }
      },
    };
  }

  return { open, keysWith, expectLifeTimes, client: () => started(client) };
}
