/** Streams over three nodes that all live: one fleet for all the suites. */
import type { FleetAccess } from '../../src/index.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { resumption } from './resumption.js';
import { type StreamSuite, startWorker } from './stream-suite.js';

const SUITES: Record<string, StreamSuite> = {
  'a call that is resumed': resumption,
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
