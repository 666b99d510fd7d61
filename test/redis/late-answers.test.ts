/** Answers of Redis that come after nobody waits for them any longer. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { parseRedisUrl } from '../../src/app/redis-url.js';
import { silentLogger } from '../../src/core/logger.js';
import { type Store, StoreUnavailable } from '../../src/core/ports/store.js';
import { createRedisStore } from '../../src/redis/index.js';
import { LONG_LIMITS } from '../contract/harness.js';
import { eventually } from '../support/eventually.js';
import { createInspector, type RedisServer, startRedis } from '../support/redis.js';

const TIMEOUT_MS = 300;

describe('a script that Redis has forgotten, asked for while it stands still', () => {
  let redis: RedisServer;
  let store: Store;
  before(async () => {
    redis = await startRedis();
    store = await createRedisStore({
      target: parseRedisUrl(redis.url),
      keyPrefix: '',
      limits: LONG_LIMITS,
      timeoutMs: TIMEOUT_MS,
      logger: silentLogger,
    });
  });
  after(async () => {
    await store?.close();
    await redis?.stop();
  });

  it('is not run after its caller was told that there is no answer', async () => {
    const sessionId = '7d7c9d3e-6f0e-4a4c-9d0b-3a6a6a0a9a11';
    const session = {
      sessionId,
      transportType: 'streamable',
      createdAt: Date.now(),
      principal: '',
      initialized: true,
    } as const;
    const rest = { logLevel: '', protocolVersion: '2025-11-25', initialize: '{}', clientInfo: '{}' };
    await store.sessions.create({ ...session, ...rest }, { maxSessions: 0 });
    expect(await store.sessions.incrementState(sessionId, 'n', 1)).to.equal(1);

    const inspect = createInspector(redis.url);
    await inspect.connect();
    await inspect.sendCommand(['SCRIPT', 'FLUSH']);
    process.kill(redis.pid, 'SIGSTOP');
    const late = await store.sessions.incrementState(sessionId, 'n', 1).catch((error: unknown) => error);
    await pause(TIMEOUT_MS);
    process.kill(redis.pid, 'SIGCONT');
    expect(late).to.be.instanceOf(StoreUnavailable);

    // Behind it on the same connection: what the late answer would have brought about is done by then.
    const now = await eventually(() => store.sessions.incrementState(sessionId, 'n', 1), { what: 'the store is back' });
    expect(now).to.equal(2);
    inspect.destroy();
  });
});
