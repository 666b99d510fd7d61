/**
 * What code below `app` knows of logging: five levels, fields, a constant message.
 *
 * Not here: where lines go, how they look, what is redacted (app/logger.ts).
 */
import { createHash } from 'node:crypto';

/** Fields carry what varies; the message is a constant, so that lines can be counted by it. */
type Log = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Logger {
  readonly trace: Log;
  readonly debug: Log;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
  /** Whether lines of that level are written; absent: unknown, so they are made. */
  isLevelEnabled?(level: string): boolean;
}

/** Asked before a line is made that costs something to make. */
export function isLevelEnabled(logger: Logger, level: 'debug' | 'info'): boolean {
  return logger.isLevelEnabled?.(level) ?? true;
}

const nothing: Log = () => {};

export const silentLogger: Logger = Object.freeze({
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  isLevelEnabled: () => false,
});

/**
 * Names a session in a log. Whoever holds a session id can use the session, so logs show this instead; lines of one
 * session can still be found by it, on every node. Ten digits: collisions do not matter, guessing back does.
 */
export function hashId(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 10);
}
