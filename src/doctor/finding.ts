/** What the doctor says: one line for what was seen, and the exact thing to change where it is not as it should be. */

export type Level = 'ok' | 'warning' | 'problem' | 'skipped';

/** Directives and attributes, by what stands in front of the fleet; `anynode` and `redis` for what is not a balancer's. */
export interface Advice {
  readonly nginx?: string;
  readonly alb?: string;
  readonly ingress?: string;
  readonly anynode?: string;
  readonly redis?: string;
}

export interface Finding {
  /** What was looked at, for example `buffering`. */
  readonly check: string;
  readonly level: Level;
  /** One line. Never holds a token, a password or a session id. */
  readonly seen: string;
  readonly change?: Advice;
}

export const ok = (check: string, seen: string): Finding => ({ check, level: 'ok', seen });
export const skipped = (check: string, seen: string, change?: Advice): Finding => ({
  check,
  level: 'skipped',
  seen,
  ...(change && { change }),
});
export const warning = (check: string, seen: string, change: Advice): Finding => ({
  check,
  level: 'warning',
  seen,
  change,
});
export const problem = (check: string, seen: string, change: Advice): Finding => ({
  check,
  level: 'problem',
  seen,
  change,
});

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
