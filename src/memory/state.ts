/**
 * What the nodes of one process share: the embedded counterpart of a Redis database.
 *
 * Each thing with a life time is looked at when it is used, so that nothing is served past its end; a timer that does not
 * hold the process ends the rest, so that memory is bounded by what lives.
 * Not here: the semantics of the ports, which stand in one file for each of them.
 */
import type { BrokerHandlers, Signal, WakeUp } from '../core/ports/broker.js';
import type { CallName } from '../core/ports/call-journal.js';
import type { ChangeEntry } from '../core/ports/change-log.js';
import type { AppendOutcome, LogEntry, TailHolder } from '../core/ports/event-log.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import { Delivery } from './delivery.js';
import { type Expiry, ExpiryQueue } from './expiry-queue.js';
import { Leases } from './leases.js';
import { PositionedLog } from './positioned-log.js';

const CLEANING_INTERVAL_MS = 1_000;
/** One cleaning stays in the low milliseconds however much has ended; the rest waits for the next one. */
const ENDS_PER_CLEANING = 10_000;

export interface MemoryStateOptions {
  /** Epoch milliseconds; tests move it. */
  readonly now?: () => number;
  /** A broker handler threw; by default a warning of the process. */
  readonly onHandlerError?: (error: unknown) => void;
}

export interface StreamEntry {
  readonly events: PositionedLog<LogEntry>;
  /** Outcomes of the newest named appends, for one that is tried again. */
  readonly batches: Map<string, AppendOutcome>;
  /** A call produces it: the one of the same name, which the journal knows until it is over. */
  owned: boolean;
  holder: TailHolder | undefined;
  /** Whom the holder took it over from, until that one has said how far it got; passed: the holder got further. */
  former: TailHolder | undefined;
  delivered: string | undefined;
  /** Set from the last event on; until then the stream lives as long as its session. */
  ends: Expiry | undefined;
}

export interface CallEntry {
  owner: string;
  readonly journal: string;
  claims: number;
}

/** The calls in a node's list. */
export interface CallList {
  readonly calls: Map<string, CallName>;
  readonly ends: Expiry;
}

export interface SessionEntry {
  record: SessionRecord;
  readonly ageEndsAt: number;
  readonly ends: Expiry;
  readonly state: Map<string, string>;
  readonly subscriptions: Map<string, string>;
  readonly streams: Map<string, StreamEntry>;
  readonly calls: Map<string, CallEntry>;
  /** In which it has a place. */
  readonly pools: readonly string[];
}

export class MemoryState {
  readonly now: () => number;
  readonly sessions = new Map<string, SessionEntry>();
  readonly sessionPools = new Map<string, Set<string>>();
  /** Sessions that ran out and were not reported by a sweep yet. Numbers, since nobody asks which. */
  readonly unreported: { expired: string[]; maxAge: string[] } = { expired: [], maxAge: [] };
  readonly expiries = new ExpiryQueue();
  readonly changes = new PositionedLog<ChangeEntry>();
  readonly callLists = new Map<string, CallList>();
  /** Tokens of nodes that live or have not been buried. */
  readonly knownTokens = new Set<string>();
  readonly secrets = new Map<string, string>();
  readonly slots = new Map<string, Map<string, number>>();
  /** Running windows of requests. */
  readonly rates = new Map<string, { taken: number; readonly ends: Expiry }>();
  readonly names: Leases;
  readonly tokens: Leases;
  readonly duties: Leases;
  readonly #deliveries = new Map<string, Delivery>();
  readonly #onHandlerError: (error: unknown) => void;
  #users = 0;
  #cleaning: NodeJS.Timeout | undefined;

  constructor(options: MemoryStateOptions = {}) {
    this.now = options.now ?? Date.now;
    this.#onHandlerError = options.onHandlerError ?? ((error) => process.emitWarning(asError(error)));
    this.names = new Leases(this.now);
    this.tokens = new Leases(this.now);
    this.duties = new Leases(this.now);
  }

  /** The session where it lives. One whose time is up ends here, whether or not it was cleaned away. */
  session(sessionId: string): SessionEntry | undefined {
    const session = this.sessions.get(sessionId);
    if (!session || session.ends.at > this.now()) return session;
    this.expireSession(sessionId);
    return undefined;
  }

  expireSession(sessionId: string): void {
    const session = this.sessions.get(sessionId);
    if (!session) return;
    this.unreported[session.ends.at >= session.ageEndsAt ? 'maxAge' : 'expired'].push(sessionId);
    this.removeSession(session);
  }

  /** Forgets a session and all that belongs to it. */
  removeSession(session: SessionEntry): void {
    this.sessions.delete(session.record.sessionId);
    this.expiries.remove(session.ends);
    for (const pool of session.pools) {
      const members = this.sessionPools.get(pool);
      members?.delete(session.record.sessionId);
      if (members?.size === 0) this.sessionPools.delete(pool);
    }
    for (const { ends } of session.streams.values()) if (ends) this.expiries.remove(ends);
  }

  enterPool(pool: string, sessionId: string): void {
    const members = this.sessionPools.get(pool) ?? new Set();
    this.sessionPools.set(pool, members.add(sessionId));
  }

  /** Opens the way into a node. */
  connect(nodeToken: string, handlers: BrokerHandlers): void {
    if (this.#deliveries.has(nodeToken)) throw new Error(`a node with token ${nodeToken} was started already`);
    this.#deliveries.set(nodeToken, new Delivery(handlers, this.#onHandlerError));
  }

  disconnect(nodeToken: string): void {
    this.#deliveries.get(nodeToken)?.stop();
    this.#deliveries.delete(nodeToken);
  }

  /** False: no node was started with that token. */
  deliver(nodeToken: string, call: (handlers: BrokerHandlers) => void): boolean {
    const delivery = this.#deliveries.get(nodeToken);
    delivery?.push(call);
    return delivery !== undefined;
  }

  /** What has not been handed to a node yet. */
  waiting(nodeToken: string): number {
    return this.#deliveries.get(nodeToken)?.waiting ?? 0;
  }

  deliverToAll(call: (handlers: BrokerHandlers) => void): void {
    for (const delivery of this.#deliveries.values()) delivery.push(call);
  }

  signal(signal: Signal): void {
    this.deliverToAll((handlers) => handlers.onSignal(signal));
  }

  wake(nodeToken: string, wakeUp: WakeUp): void {
    this.deliver(nodeToken, (handlers) => handlers.onWakeUp(wakeUp));
  }

  /** Cleaning runs while anybody uses the state; unref'd, since an idle store is no reason to stay alive. */
  use(): void {
    this.#users += 1;
    this.#cleaning ??= setInterval(() => this.clean(), CLEANING_INTERVAL_MS).unref();
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    clearInterval(this.#cleaning);
    this.#cleaning = undefined;
  }

  clean(): void {
    this.expiries.endDue(this.now(), ENDS_PER_CLEANING);
  }
}

export function createMemoryState(options?: MemoryStateOptions): MemoryState {
  return new MemoryState(options);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
