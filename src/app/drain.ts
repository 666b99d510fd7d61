/**
 * How a node leaves the fleet: readiness fails, new connections are refused, streams end, calls finish, and what has not
 * finished is left to the survivors like the calls of a dead node.
 *
 * Not here: readiness itself, lease and inbox, which go after all this (node.ts).
 */
import type { Hub } from '../core/hub.js';
import type { Logger } from '../core/logger.js';
import type { CallJournal } from '../core/ports/call-journal.js';
import type { ModernEra } from '../mcp/modern-era.js';
import type { Doors } from './doors.js';

/** When clients come back whose stream was closed by a node that goes. */
const RECONNECT_MS = 1000;
/** How long a leaving node waits for the last answers to be written. */
const LAST_ANSWERS_MS = 2000;
const LOOK_MS = 20;

export interface DrainOptions {
  readonly doors: Doors;
  readonly hub: Hub;
  readonly modern: ModernEra;
  readonly calls: CallJournal;
  readonly nodeToken: string;
  readonly logger: Logger;
  /** Between failing readiness and refusing connections. */
  readonly delayMs: number;
  /** How long calls may take to finish. */
  readonly timeoutMs: number;
}

/** Resolves when nothing of a client is left on this node. Never rejects. */
export async function drain(options: DrainOptions): Promise<void> {
  const { doors, hub, modern, calls, nodeToken, logger, delayMs, timeoutMs } = options;
  doors.announceLeaving();
  await sleep(delayMs);
  await doors.shut();
  await modern.endSubscriptions();
  await untilIdle();

  const unfinished = hub.exchangeCount + modern.running;
  if (unfinished > 0) logger.warn({ calls: unfinished }, 'calls are not finished: left to the other nodes');
  const left = hub.relinquish();
  await modern.stop();
  hub.closeTails(RECONNECT_MS);
  await doors.untilQuiet(LAST_ANSWERS_MS);
  await doors.close();
  // By now each is in the journal, or the store is away and nobody could take it over anyway.
  await Promise.allSettled(left.map((call) => calls.leave(call, nodeToken)));

  async function untilIdle(): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    let idleSince: number | undefined;
    while (Date.now() < deadline) {
      // In every turn: a stream that was being opened when the others were closed is closed now.
      hub.closeIdleTails(RECONNECT_MS);
      const busy = hub.exchangeCount + modern.running > 0;
      idleSince = busy ? undefined : (idleSince ?? Date.now());
      // No call is running, but one may be about to begin: its request is being read, or its session looked up.
      const overdue = idleSince !== undefined && Date.now() - idleSince >= LAST_ANSWERS_MS;
      if (!busy && (doors.quiet || overdue)) return;
      await sleep(LOOK_MS);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
