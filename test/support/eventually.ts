/**
 * Polls for what becomes true some time after it was caused.
 *
 * Deadlines are generous, since they cost time only where a test fails. Not here: fixed sleeps.
 */
import { setTimeout as pause } from 'node:timers/promises';

export const DEADLINE_MS = 15_000;

/**
 * Calls `check` until it neither throws nor returns `false`, and returns what it returned then.
 * At the deadline the last failure is thrown, so that an assertion inside `check` is what the report shows.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { what = 'the condition', deadlineMs = DEADLINE_MS, intervalMs = 20 } = {},
): Promise<Exclude<T, false>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await check();
      if (value !== false) return value as Exclude<T, false>;
      failure = new Error(`${what}: not within ${deadlineMs} ms`);
    } catch (error) {
      failure = error;
    }
    if (Date.now() >= end) throw failure;
    await pause(intervalMs);
  }
}

/** Rejects when `promise` has not settled in time; says what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
