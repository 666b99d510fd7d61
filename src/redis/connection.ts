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
import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorReply } from 'redis';
import { DelayQueue, type Due } from '../core/delay-queue.js';
import type { Logger } from '../core/logger.js';
import { StoreUnavailable } from '../core/ports/store.js';
import type { RedisTarget } from '../core/redis-target.js';
import { RedisClient, type Server } from './client.js';
import type { FaultReports } from './faults.js';
import { inspect } from './inspection.js';
import type { Keys } from './keys.js';
import type { Script } from './scripts.js';
import { nameOf, type Topology } from './topology.js';

export interface ConnectionOptions {
  readonly target: RedisTarget;
  readonly topology: Topology;
  readonly keys: Keys;
  readonly reports: FaultReports;
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** Called for each command with its name, seconds and whether it was answered. */
  readonly onCommand?: (name: string, seconds: number, answered: boolean) => void;
  /** Called when the breaker opens (false) and closes (true). */
  readonly onUp?: (up: boolean) => void;
}

/** How often an open breaker asks again; short, as this is what delays recovery. */
const PROBE_MS = 250;
/** How often the start looks whether the first probe has succeeded. */
const LOOK_MS = 10;
/**
 * Probes that may stay without an answer before the connection is given up: a socket without a peer never errs by itself.
 * Few, since all of them are waited for when the server is back at the other end of a new one.
 */
const SILENT_PROBES = 2;

/** A command that is waited for. */
interface Command {
  readonly name: string;
  readonly started: number;
  readonly reject: (error: Error) => void;
  due?: Due<Command>;
  /** Answered, or given up. */
  over: boolean;
}

/** `refused`: not connected, or an answer that says that it cannot serve. */
type ServerState = 'in order' | 'refused' | 'silent';

/** Names tried to find a key of each server of a Cluster; a server with so few slots that none fits is not asked. */
const KEYS_TRIED = 1000;

/** Replies that say: not this server, or not now. Asking again is for the probe, not for every request. */
const STORE_AWAY = /^(READONLY|MASTERDOWN|CLUSTERDOWN|LOADING|MOVED|NOAUTH|NOPERM|DENIED)\b/;

export class RedisConnection {
  readonly #options: ConnectionOptions;
  readonly #deadlines: DelayQueue<Command>;
  readonly #client: RedisClient;
  #up = false;
  #closed = false;
  #nextProbe: NodeJS.Timeout | undefined;
  #probing: Promise<void> | undefined;
  #probeAgain = false;
  #silentProbes = 0;
  #why: ErrorReply | undefined;

  constructor(options: ConnectionOptions) {
    const { topology, target, reports, timeoutMs } = options;
    this.#options = options;
    // Timers come before sockets in a turn of the event loop: where it was this process that was slow, the answer is
    // waiting to be read, and gets its chance first.
    this.#deadlines = new DelayQueue(timeoutMs, (command) =>
      setImmediate(() => setImmediate(() => this.#giveUp(command))),
    );
    this.#client = new RedisClient({
      topology,
      link: { access: target, connectTimeout: timeoutMs * 2 },
      eager: true,
      onReady: () => void this.#probe(),
      onError: (error, server) => {
        if (this.#closed) return;
        reports.error(error, server);
        this.#trip('connection error');
      },
    });
  }

  get up(): boolean {
    return this.#up;
  }

  /**
   * Resolves when the store is in reach, and also when it is not within a moment: the connection keeps trying, and every
   * command is refused until it succeeds.
   */
  async connect(): Promise<void> {
    const patience = performance.now() + this.#options.timeoutMs * 2;
    await this.#probe();
    while (!this.#up && !this.#closed && performance.now() < patience) await sleep(LOOK_MS);
  }

  /** @throws StoreUnavailable when there is no answer in time, or none is to be expected. */
  async command<T>(key: string, name: string, ...args: readonly string[]): Promise<T> {
    if (!this.#up) throw this.#outOfReach();
    return (await this.#send(key, [name, ...args], name)) as T;
  }

  /** Runs a script by its hash; loads it where the server does not know it (restart, fail-over). */
  run<T>(script: Script, keys: readonly string[], args: readonly string[]): Promise<T> {
    if (!this.#up) return Promise.reject(this.#outOfReach());
    const key = keys[0] as string;
    const count = String(keys.length);
    const whole = () => this.#send(key, ['EVAL', script.source, count, ...keys, ...args], script.name);
    return this.#send(key, ['EVALSHA', script.sha1, count, ...keys, ...args], script.name, whole) as Promise<T>;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    clearTimeout(this.#nextProbe);
    this.#deadlines.clear();
    this.#client.destroy();
  }

  /** With what the server said, where it was a refusal: operators are told the word. */
  #outOfReach(): StoreUnavailable {
    return new StoreUnavailable('the store is out of reach', this.#why && { cause: this.#why });
  }

  /** `whole`: what to do where the server does not know the script that is named. */
  #send(key: string, args: readonly string[], name: string, whole?: () => Promise<unknown>): Promise<unknown> {
    return this.#answered(name, this.#client.send(key, args), whole);
  }

  #answered(name: string, reply: Promise<unknown>, whole?: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const command: Command = { name, started: performance.now(), reject, over: false };
      command.due = this.#deadlines.add(command);
      reply.then(
        (value) => {
          this.#settle(command, true);
          resolve(value);
        },
        (error: Error) => {
          // Who was told that there is no answer must not have it done after all.
          const isWaitedFor = !command.over;
          this.#settle(command, false);
          const isUnknown = error instanceof ErrorReply && error.message.startsWith('NOSCRIPT');
          if (isUnknown && whole && isWaitedFor) resolve(whole());
          else reject(this.#translate(error));
        },
      );
    });
  }

  #settle(command: Command, well: boolean): void {
    if (command.over) return;
    command.over = true;
    if (command.due) this.#deadlines.remove(command.due);
    this.#options.onCommand?.(command.name, (performance.now() - command.started) / 1000, well);
  }

  #giveUp(command: Command): void {
    if (command.over) return;
    this.#settle(command, false);
    this.#trip(`no answer to ${command.name} in ${this.#options.timeoutMs} ms`);
    command.reject(new StoreUnavailable('the store did not answer in time'));
  }

  /**
   * What the server says about a fault of ours (`ERR`, `WRONGTYPE`, `NOSCRIPT`) stays what it is; all else (loading,
   * read-only after a fail-over, out of memory, no permission, no connection) is a store that cannot serve now.
   */
  #translate(error: Error): Error {
    if (error instanceof ErrorReply && /^(ERR|WRONGTYPE|NOSCRIPT)\b/.test(error.message)) return error;
    if (!(error instanceof ErrorReply)) {
      this.#why = undefined;
      this.#trip(error.message);
    } else if (STORE_AWAY.test(error.message)) {
      this.#why = error;
      // A master that was demoted, a server that left: whoever it is now, the topology finds out.
      this.#options.topology.refresh();
      this.#trip(/^[A-Z]+/.exec(error.message)?.[0] ?? '');
    }
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
    this.#probeSoon();
  }

  #probeSoon(): void {
    if (this.#closed) return;
    this.#nextProbe ??= setTimeout(() => {
      // Here and not in the probe: one that is under way is not begun again, and the next outage needs a timer of its own.
      this.#nextProbe = undefined;
      void this.#probe();
    }, PROBE_MS);
  }

  /** One at a time. A connection that becomes ready meanwhile may be the one that was missing: then once more, at once. */
  #probe(): Promise<void> {
    if (this.#probing) this.#probeAgain = true;
    this.#probing ??= this.#probeOnce().finally(() => {
      this.#probing = undefined;
      if (this.#up || this.#closed) return;
      if (this.#probeAgain) void this.#probe();
      else this.#probeSoon();
    });
    return this.#probing;
  }

  async #probeOnce(): Promise<void> {
    clearTimeout(this.#nextProbe);
    this.#nextProbe = undefined;
    this.#probeAgain = false;
    if (this.#closed || this.#up) return;
    const state = await this.#stateOfAll();
    if (this.#closed) return;
    if (state !== 'in order') {
      this.#options.topology.refresh();
      // What is not connected connects by itself; only a connection that stands and says nothing has to be given up.
      this.#silentProbes = state === 'silent' ? this.#silentProbes + 1 : 0;
      if (this.#silentProbes >= SILENT_PROBES) {
        this.#silentProbes = 0;
        this.#client.reconnect();
      }
      return;
    }
    this.#silentProbes = 0;
    this.#up = true;
    this.#options.reports.mended();
    this.#options.logger.info({}, 'redis: in reach');
    this.#options.onUp?.(true);
  }

  /**
   * Every server that has keys of the fleet answers, and is one that can serve. In a Cluster all of them are asked: sessions
   * are spread over all, and a fleet that loses a part of them at random is worse than one that waits for the fail-over.
   */
  async #stateOfAll(): Promise<ServerState> {
    const { servers } = this.#client;
    const found = await Promise.all(servers.map((server) => this.#stateOf(server)));
    if (found.includes('silent')) return 'silent';
    return found.length > 0 && found.every((state) => state === 'in order') ? 'in order' : 'refused';
  }

  async #stateOf(server: Server): Promise<ServerState> {
    try {
      await this.#ask(server, ['PING']);
      return (await this.#inspect(server)) ? 'in order' : 'refused';
    } catch (error) {
      const { cause } = error as Error;
      if (error instanceof StoreUnavailable && cause === undefined) return 'silent';
      // What is no reply was told by the connection.
      const reply = cause ?? error;
      if (reply instanceof ErrorReply) this.#options.reports.error(reply, server.name);
      return 'refused';
    }
  }

  #ask(server: Server, args: readonly string[]): Promise<unknown> {
    return this.#answered(args[0] as string, server.send(args));
  }

  async #inspect(server: Server): Promise<boolean> {
    const { topology, keys, target, reports, logger } = this.#options;
    let ownKey: string | undefined;
    for (let i = 0; i < KEYS_TRIED && ownKey === undefined; i++) {
      const owner = topology.ownerOf(keys.probe(i));
      if (owner && nameOf(owner) === server.name) ownKey = keys.probe(i);
    }
    if (ownKey === undefined) return true;
    const send = (args: readonly string[]) => this.#ask(server, args);
    return inspect({ send, server: server.name, kind: target.kind, keys, ownKey, reports, logger });
  }
}
