/** Streams as logs: what was sent on an SSE stream, in order, so that any node can send the rest of it. */

/** The session's stream that belongs to no request: the standalone GET stream, or the one of HTTP+SSE. */
export const MAIN_STREAM = 'main';

/** Before the first event of a log. */
export const START = '0-0';

export interface LogEntry {
  /** Position in its log: `<milliseconds>-<sequence>`, growing. */
  readonly position: string;
  /** JSON text of the message; empty for the priming event. */
  readonly data: string;
  /** Nothing follows; the stream is over. */
  readonly end: boolean;
}

/** The connection that may send the events of a stream: a node and one of its open responses. */
export interface TailHolder {
  readonly nodeToken: string;
  readonly connectionId: string;
}

export type AppendOutcome =
  | {
      readonly outcome: 'appended';
      /** Position of the event before the first appended one; {@link START} where there was none. */
      readonly previous: string;
      readonly entries: readonly LogEntry[];
      /** Who tails the stream now. Another node's tail has been sent a wake-up already. */
      readonly holder: TailHolder | undefined;
    }
  /** The session is gone; nothing was stored. */
  | { readonly outcome: 'gone' }
  /** Another owner took the stream over; nothing was stored. */
  | { readonly outcome: 'fenced' };

export interface AppendOptions {
  /**
   * Names this append. One that is tried `again` under its name, because the first try had no answer, is stored once.
   */
  readonly batch?: string;
  readonly again?: boolean;
  /**
   * The call that produces the events, and the node (token) that runs it. Nothing is stored when another node owns the
   * call by now. A call whose stream carries its name owns that stream: it takes events from nobody else.
   */
  readonly call?: {
    readonly callId: string;
    readonly owner: string;
    /** With the first append of a call that owns its stream: what is journaled, and who will send the stream. */
    readonly open?: { readonly holder: TailHolder | undefined; readonly journal: string };
    /** With the last append: the call is over and leaves the journal. */
    readonly finish?: boolean;
  };
}

export type AttachOutcome =
  | {
      readonly outcome: 'attached';
      /** Where the last tail of this stream stopped; undefined: it never had one. */
      readonly delivered: string | undefined;
      /**
       * Who held it until now. It has been told, falls silent and says by `handOver` how far it got; its node may be
       * dead or slow, so nobody waits for that for long.
       */
      readonly former: TailHolder | undefined;
    }
  /** Somebody holds it and no take-over was asked for. */
  | { readonly outcome: 'held'; readonly holder: TailHolder }
  /** There is no such stream (never was, or its life ran out), and asking makes none. Never said of the main stream. */
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'gone' };

export interface LogReading {
  readonly known: boolean;
  readonly complete: boolean;
  readonly over: boolean;
  readonly entries: readonly LogEntry[];
  readonly holder: TailHolder | undefined;
}

/**
 * Ordered, bounded logs, one for each stream of a session. All of a session's logs end with it.
 */
export interface EventLog {
  /**
   * Appends events, all or none, in the order given; stored when this resolves. Wakes the node that tails the stream.
   * Concurrent appends to one stream are ordered by the store.
   */
  append(
    sessionId: string,
    streamId: string,
    events: readonly { readonly data: string; readonly end?: boolean }[],
    options?: AppendOptions,
  ): Promise<AppendOutcome>;

  /**
   * Events after a position, oldest first, `limit` at most, and who sends the stream.
   * `known` is false where the log does not exist (never did, or its life ran out).
   * `complete` is false where events after `after` have been trimmed away, so that there is a gap.
   * `over` is true when nothing follows: the newest event of the log is an end, and it is at or before the last entry
   * returned (or at `after`, when none is).
   */
  read(sessionId: string, streamId: string, after: string, limit: number): Promise<LogReading>;

  /** Keeps streams (and calls journaled without one) that are in use alive, silent as they may be. */
  renew(sessionId: string, streamIds: readonly string[]): Promise<void>;

  /**
   * Makes a connection the only one that sends this stream. With `takeOver` the newest wins and the former holder is
   * told by a wake-up (it falls silent and hands over); without, a held stream stays held.
   */
  attachTail(
    sessionId: string,
    streamId: string,
    holder: TailHolder,
    options: { readonly takeOver: boolean },
  ): Promise<AttachOutcome>;

  /** Notes how far the holder has sent. Ignored when somebody else holds the stream by now. `delivered`: opaque. */
  recordDelivered(sessionId: string, streamId: string, holder: TailHolder, delivered: string): Promise<void>;

  /**
   * A holder that was taken over from says how far it got (undefined: it has sent nothing); it sends nothing after that. The new holder is told by a
   * wake-up. Ignored when the stream has changed hands again.
   */
  handOver(sessionId: string, streamId: string, former: TailHolder, delivered: string | undefined): Promise<void>;

  /** Gives the stream up and notes how far it was sent. Ignored when somebody else holds it by now. */
  detachTail(sessionId: string, streamId: string, holder: TailHolder, delivered: string): Promise<void>;

  /** Who holds the stream; the node may be dead (see `NodeRegistry.isAlive`). */
  tailHolder(sessionId: string, streamId: string): Promise<TailHolder | undefined>;
}
