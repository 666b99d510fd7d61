/**
 * The contract over a Cluster of three masters: every script, every letter and every hint crosses servers here. With the
 * user of DEPLOYMENT.md, so that nothing of the contract needs more than its access rule allows.
 */
import { addUser, asUser } from '../support/access-rule.js';
import type { RedisEntrance } from '../support/redis.js';
import { startCluster } from '../support/redis-cluster.js';
import { useRedis } from './redis-harness.js';
import { storeContract } from './store.js';

describe('the contract over a Redis Cluster, as the user of the documentation', () => {
  const start = async (): Promise<RedisEntrance> => {
    const cluster = await startCluster();
    for (const server of cluster.servers) await addUser(server);
    return { ...cluster, url: asUser(cluster.url) };
  };
  storeContract('redis cluster', useRedis(start).open);
});
