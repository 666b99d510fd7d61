/** Leases of nodes, names and duties. Guarantees: core/ports/node-registry.ts. */
import type { NodeRegistry } from '../core/ports/node-registry.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

export function createRedisNodeRegistry(redis: RedisConnection, keys: Keys, limits: StoreLimits): NodeRegistry {
  const life = String(limits.nodeLeaseMs);
  const lease = (key: string, holder: string, ms: string) => redis.run<number>(scripts.renewLease, [key], [holder, ms]);

  /** Everything but the name itself: the token's lease, and the list for people and metrics. */
  const announce = async (nodeId: string, token: string): Promise<void> => {
    const now = Date.now();
    await Promise.all([
      lease(keys.nodeLease(token), nodeId, life),
      redis.command(keys.nodes, 'ZADD', keys.nodes, String(now), nodeId),
      redis.command(keys.nodes, 'ZREMRANGEBYSCORE', keys.nodes, '-inf', `(${now - limits.nodeLeaseMs}`),
      redis.command(keys.nodes, 'PEXPIRE', keys.nodes, life),
    ]);
  };

  return {
    async claim(nodeId, token) {
      if ((await lease(keys.nodeName(nodeId), token, life)) === 0) return false;
      await announce(nodeId, token);
      return true;
    },

    async heartbeat(nodeId, token) {
      const [name] = await Promise.all([lease(keys.nodeName(nodeId), token, life), announce(nodeId, token)]);
      return name === 2;
    },

    async release(nodeId, token) {
      await Promise.all([
        redis.run(scripts.releaseLease, [keys.nodeName(nodeId)], [token]),
        redis.run(scripts.releaseLease, [keys.nodeLease(token)], [nodeId]),
        redis.command(keys.nodes, 'ZREM', keys.nodes, nodeId),
      ]);
    },

    async isAlive(token) {
      const key = keys.nodeLease(token);
      return (await redis.command<number>(key, 'EXISTS', key)) === 1;
    },

    async list() {
      const since = String(Date.now() - limits.nodeLeaseMs);
      return (await redis.command<string[]>(keys.nodes, 'ZRANGEBYSCORE', keys.nodes, since, '+inf')).sort();
    },

    lead: async (duty, token, forMs) => (await lease(keys.duty(duty), token, String(forMs))) > 0,
  };
}
