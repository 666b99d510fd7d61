/** A server that says what becomes of its calls: cancellation by disconnection, bindings of states, fresh readings. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fleet, startFleet } from '../support/fleet.js';
import { bindings } from './bindings.js';
import { disconnection } from './disconnection.js';
import { freshReadings } from './fresh-readings.js';
import type { ModernSuite } from './modern-suite.js';

const SUITES: Record<string, ModernSuite> = {
  'a connection that is closed': disconnection,
  'a state': bindings,
  'what was announced': freshReadings,
};

const MCP_SERVER = fileURLToPath(new URL('./servers/recording.mjs', import.meta.url));

describe('three nodes with a server that records', () => {
  let directory: string;
  let fleet: Fleet;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'anynode-recording-'));
    fleet = await startFleet({ env: { MCP_SERVER, RECORDING_PAGE: join(directory, 'page') } });
  });
  after(async () => {
    await fleet?.stop();
    await rm(directory, { recursive: true, force: true });
  });
  for (const [name, suite] of Object.entries(SUITES)) describe(name, () => suite(() => fleet));
});
