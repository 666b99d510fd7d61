/** Nodes that are killed under load, one after the other: only what was on their connections is hurt. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { withChance } from '../streams/chance.js';
import { size, tell } from '../streams/scale.js';
import { type Deployment, deploy, NODES } from './deployment.js';
import { Load } from './load.js';

const EVERY_MS = size(4000, 5000);
const DURATION_MS = size(8000, 120_000);

describe('nodes that are killed under a hundred clients', () => {
  let deployment: Deployment;
  before(async () => {
    deployment = await deploy({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '1500', NODE_LEASE_MS: '1500' });
  });
  after(() => deployment?.stop());

  it(`fail the requests whose connections are cut, and nothing else, over ${DURATION_MS / 1000} s`, () =>
    withChance(async (chance) => {
      const load = await Load.start(deployment, chance.between(0, 2 ** 31));
      await load.answers(100);
      for (let kills = 0; kills < DURATION_MS / EVERY_MS; kills += 1) {
        const since = Date.now();
        load.tally.crashes += 1;
        await deployment.crash(chance.between(0, NODES - 1));
        await pause(EVERY_MS - (Date.now() - since));
      }
      const tally = await load.stop();
      tell(`through ${deployment.door.kind}: ${tally}`);
      expect(tally.failures).to.deep.equal([]);
      expect(tally.givenUp, 'calls that lost every node they ran on').to.be.below(tally.answered / 1000);
      expect(tally.cuts, 'connections that were cut').to.not.deep.equal([]);
      expect(tally.resumed, 'streams that were resumed').to.be.greaterThan(0);
    })).timeout(600_000);
});
