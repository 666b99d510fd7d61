/** Places in the lists of dead nodes that name calls of the living: left by a claim that was never carried out. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';

const NODE_LEASE_MS = 1500;
const CALL_MS = 30_000;

describe('a dead node that had listed a call of somebody else', function () {
  this.timeout(60_000);
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ nodes: 2, env: { NODE_LEASE_MS: `${NODE_LEASE_MS}` } });
  });
  after(() => fleet?.stop());

  /** What a node leaves behind that died between listing a call and claiming it. */
  const leaveListed = async (place: string): Promise<string> => {
    const token = randomBytes(9).toString('base64url');
    await fleet.inspect.sAdd(`{node:${token}}:calls`, place);
    await fleet.inspect.zAdd('nodes', { score: 1, value: token });
    return token;
  };

  it('does not cost the owner its place in its own list, from which a survivor would take the call', async () => {
    const session = await RawSession.open(fleet);
    const call = await session.startTool('slow', { ms: CALL_MS, steps: 1 }, { node: 0 });
    const { id } = await call.response.waitForEvent((event) => event.id !== undefined, 'an event with an id');
    const place = `${session.id} ${id?.split('.')[0]}`;
    const owner = await fleet.inspect.hGet(`{session:${session.id}}:stream:${id?.split('.')[0]}`, 'owner');
    const dead = await leaveListed(place);
    await eventually(async () => (await fleet.inspect.sCard(`{node:${dead}}:calls`)) === 0, { what: 'an empty list' });
    // Buried by the next look at the latest, and then nobody works on it any more.
    await eventually(async () => (await fleet.inspect.zScore('nodes', dead)) === null, { what: 'a burial' });
    expect(await fleet.inspect.sMembers(`{node:${owner}}:calls`)).to.deep.equal([place]);
    call.response.close();
  });
});
