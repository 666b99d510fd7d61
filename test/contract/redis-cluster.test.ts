/** The contract over a Cluster of three masters: every script, every letter and every hint crosses servers here. */
import { startCluster } from '../support/redis-cluster.js';
import { useRedis } from './redis-harness.js';
import { storeContract } from './store.js';

describe('the contract over a Redis Cluster', () => {
  storeContract('redis cluster', useRedis(startCluster).open);
});
