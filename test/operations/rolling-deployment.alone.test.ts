/**
 * A deployment replaces every node under load, and no client has lost anything by it. Run by itself: what the kernel took
 * at the moment in which a listener closes is reset, and a process that others keep from its processor has a long moment.
 */
import { expect } from 'chai';
import { withChance } from '../streams/chance.js';
import { size, tell } from '../streams/scale.js';
import { type Deployment, deploy, NODES } from './deployment.js';
import { Load } from './load.js';

/** Each node is replaced this often. */
const ROUNDS = size(1, 5);

describe('a rolling deployment under a hundred clients', () => {
  let deployment: Deployment;
  before(async () => {
    deployment = await deploy({ DRAIN_DELAY_MS: '1500', DRAIN_TIMEOUT_MS: '1500', NODE_LEASE_MS: '2000' });
  });
  after(() => deployment?.stop());

  it('fails no request, loses no event and no session', () =>
    withChance(async (chance) => {
      const load = await Load.start(deployment, chance.between(0, 2 ** 31));
      await load.answers(200);
      for (let turn = 0; turn < ROUNDS * NODES; turn += 1) {
        const exit = await deployment.redeploy(turn % NODES);
        expect(exit).to.deep.equal({ code: 0, signal: null });
        await load.answers(100);
      }
      const tally = await load.stop();
      tell(`through ${deployment.door.kind}: ${tally}`);
      expect(tally.failures).to.deep.equal([]);
      expect(tally.cuts, await deployment.door.complaints()).to.deep.equal([]);
      expect(tally.resumed, 'streams that had to be resumed').to.be.greaterThan(0);
    })).timeout(600_000);
});
