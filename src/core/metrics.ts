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

/** Why something was refused that would have been too much. One for each limit. */
export const REFUSAL_REASONS = [
  'rate_user',
  'rate_address',
  'sessions_fleet',
  'sessions_user',
  'sessions_address',
  'streams_node',
  'streams_user',
  'streams_address',
  'subscriptions_user',
  'calls_session',
  'body_bytes',
  'body_depth',
  'body_elements',
  'batch_length',
  'request_time',
  'state_bytes',
  'state_keys',
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

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
  refused(reason: RefusalReason): void;
  callRecovered(outcome: 'rerun' | 'failed'): void;
}
