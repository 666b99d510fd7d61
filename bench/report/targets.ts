/** What the product is measured against, in ratios of one run. */
export interface Target {
  readonly workload: string;
  readonly ours: string;
  readonly peer: string;
  /** Our processor time is at most this share of the peer's. */
  readonly atMost: number;
}

const REUSABLE = 'anynode-reusable';

export const TARGETS: readonly Target[] = [
  { workload: 'call', ours: REUSABLE, peer: 'v1-sessions', atMost: 0.5 },
  { workload: 'call', ours: REUSABLE, peer: 'v1-stateless', atMost: 0.2 },
  { workload: 'call', ours: REUSABLE, peer: 'v2-stateless', atMost: 0.2 },
  { workload: 'call', ours: REUSABLE, peer: 'limit-b', atMost: 4 },
  { workload: 'call', ours: 'anynode-fresh', peer: 'v2-stateless', atMost: 0.75 },
  { workload: 'list', ours: REUSABLE, peer: 'v1-sessions', atMost: 0.5 },
  { workload: 'list', ours: 'anynode-lists', peer: 'v1-sessions', atMost: 0.5 },
  // Authentication, binding and limits together are to add at most 15 %.
  { workload: 'gates', ours: 'anynode-jwt', peer: 'anynode-open', atMost: 1.15 },
  { workload: 'gates', ours: 'anynode-tokens', peer: 'anynode-open', atMost: 1.15 },
  { workload: 'progress', ours: REUSABLE, peer: 'v1-sessions', atMost: 1 },
  { workload: 'open', ours: REUSABLE, peer: 'v1-sessions', atMost: 0.6 },
];

export const ELICITATION_TARGET_MS = { median: 5, p99: 25 };
export const STREAM_TARGET_BYTES = 25 * 1024;
