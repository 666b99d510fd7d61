/**
 * Commands with a deadline and a breaker.
 *
 * No command is waited for longer than the deadline, whatever the socket does: a server that accepts bytes and says
 * nothing looks healthy to the client library. After one missed deadline everything is refused at once, until a probe
 * is answered; a caller that would have waited gets its 503 in no time instead.
 *
 * A command that missed its deadline may still have been carried out. Callers treat it as "unknown", never as "not done".
 */
import { performance } from 'node:perf_hooks';
import { ErrorReply } from 'redis';
import { DelayQueue } from '../core/delay-queue.js';
import type { Logger } from '../core/logger.js';
import { StoreUnavailable } from '../core/ports/store.js';
import type { RedisTarget } from '../core/redis-target.js';
import { createRedisClient, type RedisClient } from './client.js';
import type { Script } from './scripts.js';

export interface ConnectionOptions {
  readonly target: RedisTarget;
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** Called for each command with its name, seconds and whether it was answered. */
  readonly onCommand?: (name: string, seconds: number, answered: boolean) => void;
  /** Called when the breaker opens (false) and closes (true). */
  readonly onUp?: (up: boolean) => void;
}

/** How often an open breaker asks again; short, as this is what delays recovery. */
const PROBE_MS = 250;
/**
 * Probes that may fail on one connection before it is given up: a socket without a peer never errs by itself. Few, since
 * all of them are waited for when the server is back at the other end of a new one.
 */
const PROBES_PER_CONNECTION = 2;

export class RedisConnection {
  readonly #options: ConnectionOptions;
  readonly #deadlines: DelayQueue<() => void>;
  #client: RedisClient;
  #up = false;
  #closed = false;
  #probing: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#deadlines = new DelayQueue(options.timeoutMs, (miss) => miss());
    this.#client = this.#createClient();
  }

  get up(): boolean {
    return this.#up;
  }

  /**
   * Connects. Resolves also when the server is away: the connection keeps trying, and every command is refused until
   * it succeeds.
   */
  async connect(): Promise<void> {
    const connected = this.#client
      .connect()
      .catch((error: Error) => this.#options.logger.warn({ error }, 'redis: no connection'));
    let patience: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      patience = setTimeout(resolve, this.#options.timeoutMs * 2);
    });
    await Promise.race([connected, late]);
    clearTimeout(patience);
    await this.#probe();
  }

  /** @throws StoreUnavailable when there is no answer in time, or none is to be expected. */
  async command<T>(key: string, name: string, ...args: readonly string[]): Promise<T> {
    if (!this.#up) throw new StoreUnavailable('the store is out of reach');
    return (await this.#send(key, [name, ...args], name)) as T;
  }

  /** Runs a script by its hash; loads it where the server does not know it (restart, fail-over). */
  async run<T>(script: Script, keys: readonly string[], args: readonly string[]): Promise<T> {
    if (!this.#up) throw new StoreUnavailable('the store is out of reach');
    const key = keys[0] as string;
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return (await this.#send(key, ['EVALSHA', script.sha1, ...rest], script.name)) as T;
    } catch (error) {
      if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error;
      return (await this.#send(key, ['EVAL', script.source, ...rest], script.name)) as T;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    clearTimeout(this.#probing);
    this.#deadlines.clear();
    this.#client.destroy();
  }

  #createClient(): RedisClient {
    const events = {
      onReady: () => void this.#probe(),
      onError: (error: Error) => {
        this.#options.logger.debug({ error }, 'redis: connection error');
        this.#trip('connection error');
      },
    };
    return createRedisClient(this.#options.target, events, this.#options.timeoutMs * 2);
  }

  #send(key: string, args: readonly string[], name: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const settle = (answered: boolean): void => {
        this.#options.onCommand?.(name, (performance.now() - started) / 1000, answered);
      };
      let answered = false;
      const miss = (): void => {
        if (answered) return;
        settle(false);
        this.#trip(`no answer to ${name} in ${this.#options.timeoutMs} ms`);
        reject(new StoreUnavailable('the store did not answer in time'));
      };
      // Timers come before sockets in a turn of the event loop: where it was this process that was slow, the answer is
      // waiting to be read, and gets its chance first.
      const forget = this.#deadlines.add(() => setImmediate(() => setImmediate(miss)));
      this.#client.send(key, args).then(
        (reply) => {
          answered = true;
          forget();
          settle(true);
          resolve(reply);
        },
        (error: Error) => {
          answered = true;
          forget();
          settle(false);
          reject(this.#translate(error));
        },
      );
    });
  }

  /**
   * What the server says about a fault of ours (`ERR`, `WRONGTYPE`, `NOSCRIPT`) stays what it is; all else (loading,
   * read-only after a fail-over, out of memory, no permission, no connection) is a store that cannot serve now.
   */
  #translate(error: Error): Error {
    if (error instanceof ErrorReply && /^(ERR|WRONGTYPE|NOSCRIPT)\b/.test(error.message)) return error;
    if (!(error instanceof ErrorReply)) this.#trip(error.message);
    // What Redis said stays in the cause and in the log: this message can reach clients.
    this.#options.logger.debug({ error }, 'redis: refused');
    return new StoreUnavailable('the store cannot serve now', { cause: error });
  }

  #trip(reason: string): void {
    if (this.#closed) return;
    if (this.#up) {
      this.#up = false;
      this.#options.logger.error({ reason }, 'redis: out of reach');
      this.#options.onUp?.(false);
    }
    this.#probing ??= setTimeout(() => void this.#probe(), PROBE_MS);
  }

  #failedProbes = 0;

  async #probe(): Promise<void> {
    if (this.#closed) return;
    clearTimeout(this.#probing);
    this.#probing = undefined;
    try {
      await this.#send('', ['PING'], 'PING');
    } catch {
      this.#failedProbes += 1;
      if (this.#failedProbes >= PROBES_PER_CONNECTION) this.#replaceClient();
      if (!this.#closed) this.#probing ??= setTimeout(() => void this.#probe(), PROBE_MS);
      return;
    }
    this.#failedProbes = 0;
    if (this.#closed || this.#up) return;
    clearTimeout(this.#probing);
    this.#probing = undefined;
    this.#up = true;
    this.#options.logger.info({}, 'redis: in reach');
    this.#options.onUp?.(true);
  }

  #replaceClient(): void {
    this.#failedProbes = 0;
    this.#client.destroy();
    this.#client = this.#createClient();
    this.#client.connect().catch(() => undefined);
  }
}
