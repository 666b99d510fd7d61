/**
 * The log: one JSON object per line on stdout, written at once.
 *
 * Every line goes through redaction (redact.ts), so that no caller can write a token or a session id by accident.
 * Not here: rotation, shipping, pretty printing; whoever runs the process does that with its output.
 */
import { pino } from 'pino';
import type { Logger } from '../core/logger.js';
import type { LogLevel } from './config-types.js';
import { redactFields, redactText } from './redact.js';

export { hashId, type Logger, silentLogger } from '../core/logger.js';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** A function where the name can still change: a node takes a suffix when another one has it. */
  readonly nodeId: string | (() => string);
  /** Where lines go instead of stdout. */
  readonly destination?: { write(line: string): void };
}

/** What every line has of its own; a field of the same name would make a second key of it, and readers take the last. */
const RESERVED = new Set(['level', 'time', 'nodeId', 'msg']);

export function createLogger({ level, nodeId, destination }: LoggerOptions): Logger {
  const currentId = typeof nodeId === 'function' ? nodeId : () => nodeId;
  return pino(
    {
      level,
      base: null,
      mixin: () => ({ nodeId: currentId() }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are plain objects by then; pino's own serializer would call each of them an `Object`.
      serializers: { err: (error: unknown) => error },
      hooks: {
        // Called for lines of an enabled level only: what is not written costs nothing.
        logMethod(args, method) {
          const [fields, message] = args as unknown as [Readonly<Record<string, unknown>>, string];
          method.call(this, withoutReserved(redactFields(fields), currentId()), redactText(message));
        },
      },
    },
    destination ?? stdout(),
  );
}

function withoutReserved(fields: Record<string, unknown>, nodeId: string): Record<string, unknown> {
  for (const name of RESERVED) {
    if (!(name in fields)) continue;
    const value = fields[name];
    delete fields[name];
    if (name !== 'nodeId' || value !== nodeId) fields[`${name}_`] = value;
  }
  return fields;
}

/** Synchronous: the lines just before an exit are the ones that explain it. */
function stdout(): { write(line: string): void } {
  const destination = pino.destination({ fd: 1, sync: true });
  // A full disk behind stdout must not end a node that serves; without a listener it would.
  destination.on('error', () => {});
  return destination;
}
