/**
 * What is wrong with Redis, in one line that names the problem and the remedy, and said once: again only after it had
 * been in order. What is retried every second must not be told every second.
 */
import { ConnectionTimeoutError, ErrorReply, SocketClosedUnexpectedlyError } from 'redis';
import type { Logger } from '../core/logger.js';

/** A connection that fails is tried again at once and again: what passes by then was nothing. */
const FAILURES_TO_TELL = 3;

export class FaultReports {
  readonly #logger: Logger;
  readonly #tls: boolean;
  readonly #said = new Set<string>();
  /** Servers of which it is known what is wrong: how else they fail is a consequence. */
  readonly #known = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #warned = new Set<string>();

  constructor(logger: Logger, tls: boolean) {
    this.#logger = logger;
    this.#tls = tls;
  }

  /** Nothing works until somebody has mended this. */
  fault(line: string, server?: string): void {
    if (this.#said.has(line)) return;
    this.#said.add(line);
    this.#logger.error({ ...(server !== undefined && { server }) }, `redis: ${line}`);
  }

  /** It works, and is not as it should be. Once for the life of the process. */
  warning(line: string, server?: string): void {
    if (this.#warned.has(line)) return;
    this.#warned.add(line);
    this.#logger.warn({ ...(server !== undefined && { server }) }, `redis: ${line}`);
  }

  /** Once for each kind of error and server, until {@link mended}. */
  error(error: Error, server: string): void {
    this.#logger.debug({ error, server }, 'redis: connection error');
    const line = remedyOf(error);
    if (line !== undefined) {
      this.#known.add(server);
      this.fault(line, server);
      return;
    }
    if (this.#known.has(server)) return;
    const what = codeOf(error) ?? error.message;
    const failures = (this.#failures.get(`${server} ${what}`) ?? 0) + 1;
    this.#failures.set(`${server} ${what}`, failures);
    if (failures !== FAILURES_TO_TELL) return;
    if (this.#tls && wasClosed(error)) {
      this.#known.add(server);
      this.fault(NO_TLS, server);
      return;
    }
    const hint = hintFor(error, this.#tls);
    this.#logger.warn({ server, reason: error.message || what }, `redis: no connection${hint && `: ${hint}`}`);
  }

  /** All is well: what goes wrong from now on is news again. */
  mended(): void {
    this.#said.clear();
    this.#known.clear();
    this.#failures.clear();
  }
}

/** What may be behind a failure that says nothing itself. */
function hintFor(error: Error, tls: boolean): string {
  if (tls && error instanceof ConnectionTimeoutError)
    return 'check that the host can be reached and the port speaks TLS';
  return !tls && wasClosed(error) ? 'check whether the port speaks TLS only (rediss://)' : '';
}

const wasClosed = (error: Error): boolean =>
  error instanceof SocketClosedUnexpectedlyError || ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '');

/** Node names the faults of certificates by codes such as these; each means that the server is not who it should be. */
const CERTIFICATE = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT)/;
const REFUSED_TLS = /^(ERR_SSL_|EPROTO)/;
/** Whether the word of the refusal comes before the end of the connection is a matter of chance: one line for both. */
const NO_TLS =
  'no TLS connection: check that the port speaks TLS, and the client certificate (REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE) where the server asks for one';

/** Undefined: nothing that somebody has to mend in a configuration. */
function remedyOf(error: Error): string | undefined {
  if (error instanceof ErrorReply) return remedyOfReply(error.message);
  const code = codeOf(error) ?? '';
  if (CERTIFICATE.test(code)) {
    return `the server's certificate is refused (${code}): check REDIS_TLS_CA_FILE, and REDIS_TLS_SERVER_NAME where its name is another one than in REDIS_URL`;
  }
  return REFUSED_TLS.test(code) ? NO_TLS : undefined;
}

function remedyOfReply(message: string): string | undefined {
  switch (/^[A-Z]+/.exec(message)?.[0]) {
    case 'WRONGPASS':
      return 'user or password are wrong (WRONGPASS): correct them in REDIS_URL';
    case 'NOAUTH':
      return 'it asks for a password (NOAUTH): put user and password into REDIS_URL';
    case 'NOPERM':
      return `the user may not do what a node needs (${shorten(message)}): see "Access rule" in DEPLOYMENT.md`;
    case 'DENIED':
      return 'it is in protected mode and takes connections of its own machine only (DENIED): give it a password or a user';
    case 'READONLY':
    case 'MASTERDOWN':
      return 'it is a replica and takes no writes (READONLY): name the master in REDIS_URL, or the Sentinels (redis+sentinel://)';
    case 'MOVED':
      return 'it is one server of a Cluster (MOVED): use redis+cluster:// in REDIS_URL';
    case 'ERR':
      if (message.includes('without any password configured')) {
        return 'REDIS_URL has a password and the server has none configured: take it out, or set one there';
      }
      if (message.includes('cluster support disabled')) {
        return 'it is not a Cluster: use redis:// or redis+sentinel:// in REDIS_URL';
      }
      if (/unknown command '?`?SENTINEL/i.test(message)) {
        return 'the hosts of redis+sentinel:// must be Sentinels, and this one is a Redis server';
      }
      if (message.includes('DB index is out of range')) return 'it has no database of the number in REDIS_URL';
  }
  return undefined;
}

/** Of a connection that was refused on every address of a name, the first one's. */
function codeOf(error: Error): string | undefined {
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : error;
  return (first as NodeJS.ErrnoException | undefined)?.code;
}

/** Without a key's name, which can hold the id of a session. */
function shorten(message: string): string {
  return /'[^']*' command/.exec(message)?.[0] ?? message.slice(0, 80);
}
