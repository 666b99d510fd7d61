/**
 * Scenarios that cannot pass, whatever the server does. One that passes nevertheless fails the run until it is taken out
 * of this list.
 *
 * Not here: what our server gets wrong. That is mended.
 */
import type { Leg } from './legs.js';
import type { Shortfall } from './verdict.js';

export interface KnownException {
  readonly leg: string;
  readonly scenario: string;
  readonly shortfall: Exclude<Shortfall, 'failure'>;
  readonly reason: string;
}

export const KNOWN_EXCEPTIONS: readonly KnownException[] = [
  {
    leg: 'extensions',
    scenario: 'tasks-status-notifications',
    shortfall: 'nothing checked',
    reason: 'the suite skips it itself, whatever the server answers',
  },
];

export function exceptionOf(leg: Leg, scenario: string): KnownException | undefined {
  return KNOWN_EXCEPTIONS.find((known) => known.leg === leg.id && known.scenario === scenario);
}
