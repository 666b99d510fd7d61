/**
 * Work that takes its time and says so: after every step one progress notification, where the caller asked for them,
 * and one log line.
 *
 * A cancelled call stops at once: the wait rejects, and the SDK answers a cancelled request with nothing. Not here: log
 * levels, which the node filters by what the session or the request asked for.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { CallContext } from './reply.js';

export interface PacedWork {
  steps: number;
  /** For all steps together. */
  totalMs: number;
  /** In front of "step 1 of 5". */
  label: string;
}

/** The largest step count and duration the bundled tools accept: a shared demonstration must not be a way to park calls. */
export const MAX_STEPS = 1000;
export const MAX_TOTAL_MS = 600_000;

export async function doPacedWork(call: CallContext, { steps, totalMs, label }: PacedWork): Promise<void> {
  for (let step = 1; step <= steps; step += 1) {
    await wait(totalMs / steps, undefined, { signal: call.mcpReq.signal });
    const message = `${label}: step ${step} of ${steps}`;
    await reportProgress(call, step, steps, message);
    await call.mcpReq.log('info', message);
  }
}

/** Without a token there is nobody to report to; 0 and the empty string are tokens. */
export async function reportProgress(
  call: CallContext,
  progress: number,
  total: number,
  message?: string,
): Promise<void> {
  const progressToken = call.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await call.mcpReq.notify({
    method: 'notifications/progress',
    params: { progressToken, progress, total, ...(message !== undefined && { message }) },
  });
}
