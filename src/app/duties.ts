/** What a node does by the clock, and how often. */
import type { Audit } from '../core/audit.js';
import type { ChangeFeed } from '../core/change-feed.js';
import type { Hub } from '../core/hub.js';
import type { HeldPlaces } from '../core/limits/held-places.js';
import type { Store } from '../core/ports/store.js';
import type { TokenExpiry } from '../core/token-expiry.js';
import type { Recovery } from '../mcp/recovery.js';
import type { RequestStates } from '../mcp/request-states.js';
import type { Clockwork } from './clockwork.js';
import type { Config } from './config-types.js';
import type { Membership } from './membership.js';
import type { NodeMetrics } from './metrics.js';

/**
 * Tails look at their logs by themselves this often: the longest that a lost hint can delay a message, on a node with up to a
 * thousand streams. More take their turns.
 */
const LOOK_MS = 5000;
/** How late a stream may end after its token. */
const TOKENS_MS = 1000;
/** Sessions renewed in one write to the store. */
const RENEW_AT_ONCE = 500;
/** Entries of the index looked at in one write to the store: few enough that no script is slow. */
const SWEEP_AT_ONCE = 250;
/** Bounds one turn when very many end together; the rest is for the next. */
const SWEEP_ROUNDS = 40;
/** The fleet's own secrets are asked for this often: it keeps them alive, and heals a store that has lost its data. */
const SECRETS_MS = 5000;

export interface DutiesOptions {
  readonly config: Config;
  readonly store: Store;
  readonly hub: Hub;
  readonly feed: ChangeFeed;
  readonly membership: Membership;
  readonly places: HeldPlaces;
  readonly states: RequestStates;
  readonly metrics: NodeMetrics;
  readonly audit: Audit;
  readonly nodeToken: string;
  readonly tokenExpiry: TokenExpiry;
  /** Unset: this member does nothing for others, neither sweeping nor taking over calls. */
  readonly recovery: Recovery | undefined;
}

export function takeUpDuties(clock: Clockwork, options: DutiesOptions): void {
  const { config, hub, feed, membership, recovery } = options;
  const { nodeLeaseMs, sseKeepaliveMs } = config;
  // Whichever life of a session is the shorter one: its end must not be noticed much later than it comes.
  const sessionLifeMs = Math.min(config.sessionTtlMs, config.sessionMaxAgeMs || Number.POSITIVE_INFINITY);

  clock.every(nodeLeaseMs / 3, 'heartbeat', () => membership.heartbeat());
  clock.every(nodeLeaseMs, 'slots', () => options.places.renew());
  clock.every(TOKENS_MS, 'tokens', () => options.tokenExpiry.endExpired());
  clock.every(LOOK_MS, 'look', async () => void (await Promise.all([feed.look(), hub.lookAround()])));
  clock.every(clamp(sessionLifeMs / 3, 200, 20_000), 'renew', () => renewSessions(options));
  if (sseKeepaliveMs > 0) {
    // Twice in the time: whoever was written to just after one turn is reached by the next.
    clock.every(sseKeepaliveMs / 2, 'keep-alive', () => {
      for (const tail of hub.tails()) tail.keepAlive();
    });
  }
  if (!recovery) return;
  clock.every(nodeLeaseMs / 6, 'recovery', () => recovery.turn());
  const sweepMs = clamp(sessionLifeMs / 4, 250, 5000);
  clock.every(SECRETS_MS, 'secrets', () => options.states.refresh());
  clock.every(sweepMs, 'sweep', () => sweep(options, sweepMs));
}

/**
 * Sessions in use here do not run out, nor do their streams, however silent. Sessions that are gone lose their streams,
 * also when the signal was lost.
 */
async function renewSessions({ store, hub }: DutiesOptions): Promise<void> {
  const inUse = [...hub.inUse()];
  for (let i = 0; i < inUse.length; i += RENEW_AT_ONCE) {
    const some = inUse.slice(i, i + RENEW_AT_ONCE);
    const gone = await store.sessions.renew(some.map(([sessionId]) => sessionId));
    for (const id of gone) hub.end(id);
    await Promise.all(
      some.filter(([, streams]) => streams.size > 0).map(([id, streams]) => store.log.renew(id, [...streams])),
    );
  }
}

async function sweep({ store, metrics, audit, nodeToken }: DutiesOptions, everyMs: number): Promise<void> {
  // Held for longer than the pause between two turns, so that the duty stays with one node while that lives.
  if (!(await store.nodes.lead('sweep', nodeToken, everyMs * 3))) return;
  for (let round = 0; round < SWEEP_ROUNDS; round += 1) {
    const { expired, maxAge, more } = await store.sessions.sweep(SWEEP_AT_ONCE);
    for (const id of expired) audit.ended(id, 'expired');
    for (const id of maxAge) audit.ended(id, 'max_age');
    if (expired.length > 0) metrics.sessionsEnded('expired', expired.length);
    if (maxAge.length > 0) metrics.sessionsEnded('max_age', maxAge.length);
    if (!more && expired.length + maxAge.length < SWEEP_AT_ONCE) return;
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
