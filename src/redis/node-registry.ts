/** Leases of nodes, names and duties. Guarantees: core/ports/node-registry.ts. */
import type { NodeRegistry } from '../core/ports/node-registry.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import { openLogLife } from './event-log.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

export function createRedisNodeRegistry(redis: RedisConnection, keys: Keys, limits: StoreLimits): NodeRegistry {
  const life = String(limits.nodeLeaseMs);
  /** The list has to outlive its nodes for as long as survivors may need it to find the calls of the dead. */
  const listLife = String(afterLife(limits));
  /** Two missed heartbeats: then it is worth looking whether the lease still holds. */
  const suspicious = String(Math.round(limits.nodeLeaseMs * 0.7));
  const lease = (key: string, holder: string, ms: string) => redis.run<number>(scripts.renewLease, [key], [holder, ms]);

  const announce = async (nodeId: string, token: string): Promise<void> => {
    await Promise.all([
      // Our own token: nobody else writes it, and the name may have changed.
      redis.command(keys.nodeLease(token), 'SET', keys.nodeLease(token), nodeId, 'PX', life),
      redis.command(keys.inboxOpen(token), 'SET', keys.inboxOpen(token), '1', 'PX', listLife),
      redis.run(scripts.touchNode, [keys.nodes], [token, listLife]),
    ]);
  };

  const exists = async (key: string): Promise<boolean> => (await redis.command<number>(key, 'EXISTS', key)) === 1;

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
      // The token stays in the list: what the node leaves behind is found through it.
      await Promise.all([
        redis.run(scripts.releaseLease, [keys.nodeName(nodeId)], [token]),
        redis.command(keys.nodeLease(token), 'UNLINK', keys.nodeLease(token), keys.inboxOpen(token)),
        redis.command(keys.nodes, 'ZADD', keys.nodes, 'XX', '0', token),
      ]);
    },

    isAlive: (token) => exists(keys.nodeLease(token)),

    async list() {
      const tokens = await redis.command<string[]>(keys.nodes, 'ZRANGE', keys.nodes, '0', '-1');
      const names = await Promise.all(
        tokens.map((token) => redis.command<string | null>(keys.nodeLease(token), 'GET', keys.nodeLease(token))),
      );
      return names.filter((name) => name !== null).sort();
    },

    async dead() {
      const suspects = await redis.run<string[]>(scripts.staleNodes, [keys.nodes], [suspicious]);
      const alive = await Promise.all(suspects.map((token) => exists(keys.nodeLease(token))));
      return suspects.filter((_, i) => !alive[i]);
    },

    async bury(token) {
      const all = [keys.nodeLease(token), keys.inbox(token), keys.calls(token), keys.inboxOpen(token)];
      // A node that was only frozen may be back since it was looked at.
      if ((await redis.run<number>(scripts.buryNode, all, [])) === 1) {
        await redis.command(keys.nodes, 'ZREM', keys.nodes, token);
      }
    },

    lead: async (duty, token, forMs) => (await lease(keys.duty(duty), token, String(forMs))) > 0,
  };
}

/** How long what a node had is kept after its last heartbeat: as long as its calls can be waited for. */
export function afterLife(limits: StoreLimits): number {
  return Math.max(limits.nodeLeaseMs * 10, openLogLife(limits));
}
