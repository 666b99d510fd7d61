/**
 * The access rule of DEPLOYMENT.md allows what a node needs, and nothing that no node needs. That the whole contract can run
 * as that user is shown over a Cluster (contract/redis-cluster.test.ts), and at full size over a single server as well.
 */
import { expect } from 'chai';
import { NEEDED_COMMANDS } from '../../src/redis/inspection.js';
import { useRedis } from '../contract/redis-harness.js';
import { storeContract } from '../contract/store.js';
import { addUser, asUser, documentedRule } from '../support/access-rule.js';
import { createInspector, type RedisEntrance, startRedis } from '../support/redis.js';

describe('the access rule of DEPLOYMENT.md', () => {
  it('allows what a node needs and the five commands that it can do without, by name', () => {
    const optional = ['info', 'config|get', 'cluster|slots', 'asking', 'select'];
    const needed = NEEDED_COMMANDS.map((command) => command.toLowerCase());
    const allowed = documentedRule('').filter((word) => word.startsWith('+'));
    expect(allowed.sort()).to.deep.equal([...needed, ...optional].map((command) => `+${command}`).sort());
  });

  if (process.env.ANYNODE_FULL === '1') {
    const start = async (): Promise<RedisEntrance> => {
      const server = await startRedis();
      await addUser(server);
      return { ...server, url: asUser(server.url), inspector: () => createInspector(server.url) };
    };
    storeContract('redis with the access rule', useRedis(start).open);
  }
});
