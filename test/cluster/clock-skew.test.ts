/** Hosts whose clocks disagree: what a stream begins with is told by the log of changes, and by nobody's clock. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';
import { flush, probe, startProbeFleet, updatesOf } from './probe-fleet.js';

const CLOCK = new URL('../support/skewed-clock.mjs', import.meta.url).href;
const URI = 'test://watched';

describe('nodes whose clocks disagree by minutes', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startProbeFleet({ nodes: 1 });
    for (const skew of [300_000, -300_000]) {
      await fleet.addNode({ NODE_OPTIONS: `--import ${CLOCK}`, CLOCK_SKEW_MS: String(skew) });
    }
  });
  after(() => fleet?.stop());

  for (const [where, node] of Object.entries({ 'the right time': 0, 'the future': 1, 'the past': 2 })) {
    it(`tell the streams of a session opened in ${where} of all changes since, and of none before`, async () => {
      const before = await RawSession.open(fleet);
      await probe(before, 'touch', { uri: URI });
      // The node that opens the session has heard of it: what it has not heard counts as later.
      const heard = await before.stream({ node });
      for (const _ of ['read', 'told']) await flush(before, heard);
      heard.close();
      const session = await RawSession.open(fleet, { node });
      await session.request('resources/subscribe', { uri: URI });
      const early = await session.stream({ node: 0 });
      await flush(session, early);
      expect(updatesOf(early, URI), 'what was before the session').to.deep.equal([]);
      await probe(session, 'touch', { uri: URI }, { node: 0 });
      await early.waitFor(({ params }) => params?.uri === URI, 'a change while the stream is open');
      early.close();

      const late = await RawSession.open(fleet, { node });
      await late.request('resources/subscribe', { uri: URI });
      await probe(late, 'touch', { uri: URI }, { node: 2 });
      const stream = await late.stream({ node: 0 });
      await eventually(() => updatesOf(stream, URI).length > 0, { what: 'a change from before the first stream' });
      await flush(late, stream);
      expect(updatesOf(stream, URI)).to.have.lengthOf(1);
      stream.close();
    });
  }
});
