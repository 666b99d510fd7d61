/** The contract over the master of a Sentinel set-up: commands go to one server, so the full size is for when it is asked for. */
import { startSentinelSetup } from '../support/redis-sentinel.js';
import { useRedis } from './redis-harness.js';
import { storeContract } from './store.js';

if (process.env.ANYNODE_FULL === '1') {
  describe('the contract over Redis with Sentinel', () => {
    storeContract('redis with Sentinel', useRedis(startSentinelSetup).open);
  });
}
