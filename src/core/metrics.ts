/** What is counted, as the core sees it. Labels are bounded: never ids, never names a client can invent. */
export type RelayOutcome =
  /** The waiting call is on this node. */
  | 'local'
  /** Put into another node's inbox. */
  | 'posted'
  /** Read from the inbox and handed to the waiting call. */
  | 'delivered'
  /** Nobody waits for it any more: late, or the second of two. */
  | 'unwanted'
  /** The call belongs to another session. */
  | 'foreign'
  /** Not an id this fleet issued. */
  | 'forged'
  /** The node that asked is gone. */
  | 'orphaned';

export interface Metrics {
  sessionCreated(): void;
  sessionsEnded(reason: 'expired' | 'deleted' | 'max_age', count: number): void;
  sessionRestored(): void;
  request(era: 'legacy' | 'modern', method: string, outcome: string, seconds: number): void;
  relayed(kind: 'answer' | 'progress' | 'cancel', outcome: RelayOutcome): void;
  streamOpened(kind: 'call' | 'main'): void;
  streamClosed(kind: 'call' | 'main'): void;
  historyLost(): void;
  /** Events were stored in the log of a stream. */
  appended(events: number, bytes: number): void;
  callRecovered(outcome: 'rerun' | 'failed'): void;
}
