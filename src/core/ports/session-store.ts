/** The session record and the port that keeps it. */
import type { Place } from './slots.js';

export type TransportType = 'streamable' | 'sse';

/** What every request of a session needs; loaded anew for each of them, never cached between two. */
export interface SessionRecord {
  readonly sessionId: string;
  readonly transportType: TransportType;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /**
   * Position in the log of changes up to which the session has nothing to be told: it began after that. No clock could tell
   * it, since hosts disagree about the time. Absent in records of releases that did not note it.
   */
  readonly changesPosition?: string | undefined;
  /** Negotiated revision; empty until `initialize` was answered (HTTP+SSE opens its session before). */
  readonly protocolVersion: string;
  /** JSON of the client's `initialize` params, replayed into each rebuilt server; empty until known. */
  readonly initialize: string;
  /** JSON of the client's `clientInfo`; kept apart from `initialize` for people who look at the hash. */
  readonly clientInfo: string;
  /** Who opened the session; empty: nobody was authenticated. */
  readonly principal: string;
  /** Whether `notifications/initialized` has arrived. */
  readonly initialized: boolean;
  /** Level of `logging/setLevel`; empty: none was set. */
  readonly logLevel: string;
  /** Journaled calls of the session that run now, on any node; absent: none. Told by `touch` alone. */
  readonly runningCalls?: number;
}

/** The fields that may change after creation. The three of the handshake change together or not at all. */
export type SessionChanges = Partial<
  Pick<SessionRecord, 'protocolVersion' | 'initialize' | 'clientInfo' | 'initialized' | 'logLevel'>
>;

export interface SweepResult {
  /** Ids of sessions whose idle life ran out. */
  readonly expired: readonly string[];
  /** Ids of sessions whose absolute life ran out. */
  readonly maxAge: readonly string[];
  /** The limit was reached, perhaps by sessions that live on: there may be more to look at. */
  readonly more?: boolean;
}

/** Resources that one session is subscribed to: they are kept with it, and looked through at every change. */
export const MAX_SUBSCRIPTIONS = 1000;

export class TooManySubscriptions extends Error {
  override readonly name = 'TooManySubscriptions';
}

/**
 * Keeps session records with an idle life time.
 *
 * No write brings a session back: each one but `create` does nothing, and says so, where the record is gone.
 */
export interface SessionStore {
  /**
   * Stores a new record, its first state values and its place in the index of live sessions.
   * `full`: `maxSessions` (0: no cap) live sessions exist already and nothing was stored; the cap holds over the
   * whole fleet, also when many nodes create at once.
   * `places`: pools of sessions that have a limit of their own (0: none). The session takes a place in each of them or
   * is refused with the first one that is full, and nothing is stored. It keeps its places for as long as it lives.
   */
  create(
    record: SessionRecord,
    options: { maxSessions: number; state?: ReadonlyMap<string, string>; places?: readonly Place[] },
  ): Promise<'created' | 'full' | { readonly full: Place }>;

  /**
   * The first of the places that is certainly not to be had now, without taking any: for who would rather not prepare a
   * session that is refused. Undefined says nothing for sure.
   */
  findFull(places: readonly Place[]): Promise<Place | undefined>;

  /**
   * Loads the record and renews its life, in one round trip. Undefined: unknown, expired, deleted, or (where `principal`
   * is given) of somebody else, who has not renewed it by asking.
   */
  touch(sessionId: string, principal?: string): Promise<SessionRecord | undefined>;

  /** Changes fields of a live record. False: it is gone, nothing was written. */
  update(sessionId: string, changes: SessionChanges): Promise<boolean>;

  /** Renews many sessions (those with open streams or running calls) and returns the ids of those that are gone. */
  renew(sessionIds: readonly string[]): Promise<string[]>;

  /**
   * Ends a session: record, state, logs and index entry. True for exactly one of several callers.
   * Every node is told by a bus signal (`ended`); the missing record is the truth.
   */
  delete(session: Pick<SessionRecord, 'sessionId' | 'createdAt'>): Promise<boolean>;

  /** Sessions of the whole fleet that are alive; one that just expired may be counted until the next sweep. */
  count(): Promise<number>;

  /**
   * Takes ended sessions out of the index and reports how they ended. Bounded work per call (`limit` sessions);
   * counts each session once, over all nodes and calls.
   */
  sweep(limit: number): Promise<SweepResult>;

  /**
   * `resources/subscribe` and `unsubscribe`. False: the session is gone. Idempotent: the first one stands.
   * `since`: position in the log of changes from which on changes are owed, so that whoever learns of the subscription late
   * knows where to look.
   * @throws TooManySubscriptions beyond {@link MAX_SUBSCRIPTIONS}
   */
  subscribe(sessionId: string, uri: string, since: string): Promise<boolean>;
  unsubscribe(sessionId: string, uri: string): Promise<boolean>;
  /** Each with its `since`; empty where a release that did not note it made the subscription. */
  subscriptions(sessionId: string): Promise<Map<string, string>>;

  /** The session's own state: JSON texts by key, gone with the session. Undefined: no such key (or no session). */
  getState(sessionId: string, key: string): Promise<string | undefined>;
  /** False: the session is gone. @throws StateTooLarge; nothing was written. */
  setState(sessionId: string, key: string, json: string): Promise<boolean>;
  /** True: the key was there. */
  deleteState(sessionId: string, key: string): Promise<boolean>;
  /**
   * Adds to a number, atomically over all nodes; a missing key counts as 0. Returns the new value; undefined: the
   * session is gone.
   * @throws TypeError when the stored value is not a number; StateTooLarge.
   */
  incrementState(sessionId: string, key: string, by: number): Promise<number | undefined>;
}
