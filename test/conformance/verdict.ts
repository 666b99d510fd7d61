/**
 * What a scenario's checks come to. Stricter than the suite, for which a scenario passes as long as no check has failed:
 * here a warning fails it, and so does a scenario in which nothing was checked.
 */
import type { KnownException } from './known-exceptions.js';

/** As the suite writes them to `checks.json`; INFO checks are a record of what happened, and differ from run to run. */
export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly description?: string;
  readonly errorMessage?: string;
}

/** `excepted`: it did not pass, for a reason that is known and not ours. */
export type Result = 'pass' | 'excepted' | 'not served' | 'fail';

export interface Verdict {
  readonly scenario: string;
  readonly result: Result;
  readonly passed: number;
  readonly skipped: number;
  /** One line each: why it is no `pass`. */
  readonly reasons: readonly string[];
}

/** The suite adds it to everything it can look at: it says nothing of the scenario itself. */
const isSchemaCheck = ({ id }: Check): boolean => id.startsWith('wire-schema-');

export function judge(scenario: string, checks: readonly Check[], exception?: KnownException): Verdict {
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const shortfall = shortfallOf(checks);
  const verdict = { scenario, passed: count('SUCCESS'), skipped: count('SKIPPED') };
  if (exception !== undefined && shortfall === undefined) {
    return { ...verdict, result: 'fail', reasons: ['it passes: take it out of known-exceptions.ts'] };
  }
  if (shortfall === undefined) return { ...verdict, result: 'pass', reasons: [] };
  const result = exception?.shortfall === shortfall.kind ? 'excepted' : 'fail';
  return { ...verdict, result, reasons: shortfall.reasons };
}

/** A scenario of which the suite has left no checks. */
export function broken(scenario: string, reason: string): Verdict {
  return { scenario, result: 'fail', passed: 0, skipped: 0, reasons: [reason] };
}

export const notServed = (scenario: string): Verdict => ({
  scenario,
  result: 'not served',
  passed: 0,
  skipped: 0,
  reasons: [],
});

export type Shortfall = 'failure' | 'warning' | 'nothing checked';

function shortfallOf(checks: readonly Check[]): { kind: Shortfall; reasons: string[] } | undefined {
  const reasonsOf = (...statuses: Check['status'][]): string[] =>
    checks.filter(({ status }) => statuses.includes(status)).map(describe);
  if (checks.some(({ status }) => status === 'FAILURE')) {
    return { kind: 'failure', reasons: reasonsOf('FAILURE', 'WARNING') };
  }
  if (checks.some(({ status }) => status === 'WARNING')) return { kind: 'warning', reasons: reasonsOf('WARNING') };
  const exercised = checks.some((check) => check.status === 'SUCCESS' && !isSchemaCheck(check));
  return exercised ? undefined : { kind: 'nothing checked', reasons: ['nothing was checked', ...reasonsOf('SKIPPED')] };
}

function describe({ id, status, errorMessage, description }: Check): string {
  return `${status} ${id}: ${(errorMessage ?? description ?? '').replace(/\s+/g, ' ').slice(0, 300)}`;
}
