/** The modern era over three nodes behind the balancer: one fleet for all the suites. */
import { type Fleet, startFleet } from '../support/fleet.js';
import { bystanders } from './bystanders.js';
import { clientsTogether } from './clients-together.js';
import { drain } from './drain.js';
import { era } from './era.js';
import { fanOut } from './fan-out.js';
import { footprint } from './footprint.js';
import { lists } from './lists.js';
import type { ModernSuite } from './modern-suite.js';
import { refusals } from './refusals.js';
import { rounds } from './rounds.js';
import { routingHeaders } from './routing-headers.js';
import { subscriptions } from './subscriptions.js';
import { traceContext } from './trace-context.js';

const SUITES: Record<string, ModernSuite> = {
  'the era of a request': era,
  'a refused request': refusals,
  'beside sessions': bystanders,
  'in the store': footprint,
  'headers that repeat the body': routingHeaders,
  'rounds of one call': rounds,
  'lists and readings': lists,
  'a subscription': subscriptions,
  'subscriptions of many': fanOut,
  'three clients at one address': clientsTogether,
  'other keys of the envelope': traceContext,
  'a node that goes': drain,
};

describe('three nodes in the modern era', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ env: { MCP_SERVER: 'everything' } });
  });
  after(() => fleet?.stop());
  for (const [name, suite] of Object.entries(SUITES)) describe(name, () => suite(() => fleet));
});
