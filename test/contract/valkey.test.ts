/** The contract over Valkey, where there is one: Debian has it from release 13 on, and nothing is installed for it. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { startRedis } from '../support/redis.js';
import { useRedis } from './redis-harness.js';
import { storeContract } from './store.js';

const binary = (process.env.PATH ?? '')
  .split(delimiter)
  .map((directory) => join(directory, 'valkey-server'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

if (binary !== undefined) {
  describe('the contract over Valkey', () => {
    storeContract('valkey', useRedis(() => startRedis({ binary })).open);
  });
}
