/**
 * Keeps secrets and session ids out of log lines, whoever writes them: by the name of a field at any depth, and by form
 * inside texts (an error's message often quotes an address or a key).
 *
 * Not here: judging values that neither look nor are named like a secret. Such a thing must not be logged at all.
 */
import { hashId } from '../core/logger.js';

const HIDDEN = '(hidden)';

/** Field names are compared in lower case, without `-`, `_` and `.`; what they end with decides. */
const SECRET_NAME =
  /(authorization|tokens?|cookies?|passwords?|passwd|secrets?|apikey|credentials?|redisurl|requeststate)$/;
const SESSION_NAME = /(sessionid|sessionids)$/;
/** A node may be named by the machine's UUID; its name is no secret, and useless when hashed. */
const NODE_NAME = /nodeids?$/;

/** Bounded parts: an unbounded one would take quadratic time on a long text without any match. */
const USERINFO = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s"'`<>]{0,2048}@/gi;
const BEARER = /\b(bearer)\s+[a-z0-9._~+/=-]{8,}/gi;
const SESSION_QUERY = /\b(sessionId=)[^\s&"'#]+/gi;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** Cycles end here too; nothing worth a line is nested deeper. */
const MAX_DEPTH = 5;
/** A line is read by people and paid for by the byte; what is longer is data, not a message. */
const MAX_ITEMS = 100;
const MAX_TEXT = 8192;

/** A text without userinfo of URLs, bearer tokens and session ids; UUIDs become what {@link hashId} makes of them. */
export function redactText(text: string): string {
  // Cut once generously before and once after, so that no cut goes through a secret and hides its form.
  const redacted = text
    .slice(0, 2 * MAX_TEXT)
    .replace(USERINFO, '$1***@')
    .replace(BEARER, `$1 ${HIDDEN}`)
    .replace(UUID, (id) => `#${hashId(id)}`)
    .replace(SESSION_QUERY, `$1${HIDDEN}`);
  return redacted.length > MAX_TEXT ? `${redacted.slice(0, MAX_TEXT)}…` : redacted;
}

/** A copy of a line's fields that may be written. Never throws: a log line must not fail what it reports. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return redactObject(fields, 0);
  } catch {
    // A getter or `toJSON` of a foreign object threw.
    return { fields: '(unreadable)' };
  }
}

function redactObject(object: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object).slice(0, MAX_ITEMS)) {
    copy[key] = redactNamed(key, value, depth);
  }
  return copy;
}

function redactNamed(key: string, value: unknown, depth: number): unknown {
  const name = key.toLowerCase().replace(/[-_.]/g, '');
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  // A number under such a name is a count.
  if (SECRET_NAME.test(name)) return typeof value === 'number' ? value : HIDDEN;
  if (SESSION_NAME.test(name)) return typeof value === 'string' ? `#${hashId(value)}` : redactIds(value);
  if (NODE_NAME.test(name) && typeof value === 'string') return value;
  // Its form was checked where it came in, and it is no session id; balancers make UUIDs of it.
  if (name === 'requestid' && typeof value === 'string') return value;
  return redactValue(value, depth + 1);
}

function redactIds(value: unknown): unknown {
  return Array.isArray(value) ? value.slice(0, MAX_ITEMS).map((id) => `#${hashId(String(id))}`) : HIDDEN;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '(deeper)';
  if (value instanceof Error) return redactError(value, depth);
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (value instanceof Map || value instanceof Set) return `(${value.size} entries)`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return redactValue(value.toJSON(), depth + 1);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redactValue(item, depth + 1));
  return redactObject(value, depth);
}

/** An error's message, stack and cause are not enumerable; its own fields (`code`, `address`, ...) are. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: redactText(error.message),
    ...(error.stack !== undefined && { stack: redactText(error.stack) }),
    ...(error.cause !== undefined && { cause: redactValue(error.cause, depth + 1) }),
    // A connection refused on every address of a name says so only here.
    ...(error instanceof AggregateError && { errors: redactValue(error.errors, depth + 1) }),
    ...redactObject(error, depth),
  };
}
