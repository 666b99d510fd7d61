/** History that is gone is said, not skipped: a client that waits for it must not wait for ever. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';
import { Follower } from './follower.js';
import { ResumingCall } from './resuming-call.js';
import { urlOf } from './stream-suite.js';

/** Long enough to be resumed within, also on a busy machine. */
const STREAM_TTL_MS = 1000;

describe('history that has run out', function () {
  this.timeout(30_000);
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ nodes: 2, env: { STREAM_TTL_MS: `${STREAM_TTL_MS}` } });
  });
  after(() => fleet?.stop());

  const typesOf = ({ received }: Follower): (string | undefined)[] => received.map(({ event }) => event);

  it("is said of a call's stream, on every node, and the stream ends", async () => {
    const call = new ResumingCall(await RawSession.open(fleet));
    await call.start(urlOf(fleet, 0), 'slow', { ms: 200, steps: 4 });
    await call.answer();
    const [first] = call.events;
    const again = (node: number): Promise<Follower> =>
      Follower.get(call.session, urlOf(fleet, node), { lastEventId: first?.id });

    const inTime = await again(1);
    expect(await inTime.ended).to.equal(true);
    expect(inTime.received.map(({ id }) => id)).to.deep.equal(call.events.slice(1).map(({ id }) => id));

    for (const node of [0, 1]) {
      await eventually(async () => {
        const late = await again(node);
        expect([late.status, await late.ended]).to.deep.equal([200, true]);
        expect(typesOf(late)).to.deep.equal(['history_lost']);
      });
    }
  });

  it('is said of changes: a stream that comes too late hears that anything may have changed', async () => {
    const uri = 'test://expired';
    const session = await RawSession.open(fleet);
    await session.request('resources/subscribe', { uri });
    await session.callTool('mutate', { kind: 'tools' });
    await eventually(async () => (await fleet.inspect.exists('changes')) === 0, { what: 'the end of the changes' });
    const stream = await Follower.get(session, urlOf(fleet, 1));
    await stream.until(() => stream.messages.length >= 4, 'one for each kind');
    expect(stream.messages.map(({ method, params }) => params?.uri ?? method).sort()).to.deep.equal([
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
      'notifications/tools/list_changed',
      uri,
    ]);
    stream.close();
  });
});
