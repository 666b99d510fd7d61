/** Streams over three nodes that all live: one fleet for all the suites. */
import type { FleetAccess } from '../../src/index.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { createBackPressure } from './back-pressure.js';
import { borders } from './borders.js';
import { fanOut } from './fan-out.js';
import { lostHints } from './lost-hints.js';
import { resumption } from './resumption.js';
import { type StreamSuite, startWorker } from './stream-suite.js';
import { takeOver } from './take-over.js';
import { webhooks } from './webhooks.js';

const backPressure = createBackPressure();

const SUITES: Record<string, StreamSuite> = {
  'a main stream with more than is read': backPressure.first,
  'a call that is resumed': resumption,
  'a change': fanOut,
  'a change or message whose hint is lost': lostHints,
  'a main stream with several connections': takeOver,
  'a worker beside the fleet': webhooks,
  'a session and the ids of another': borders,
  'a main stream that nobody reads': backPressure.last,
};

describe('streams over three nodes', () => {
  let fleet: Fleet;
  let worker: FleetAccess;
  before(async () => {
    fleet = await startFleet();
    worker = await startWorker(fleet);
  });
  after(async () => {
    await worker?.close();
    await fleet?.stop();
  });
  for (const [name, suite] of Object.entries(SUITES)) {
    describe(name, () =>
      suite(
        () => fleet,
        () => worker,
      ),
    );
  }
});
