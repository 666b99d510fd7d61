/**
 * Judges a history: nothing lost, doubled or crossed; every fault answered honestly.
 *
 * It knows nothing of the product but its contract, and sees nothing but what clients saw. Each rule is independent of
 * the others, and one fault may break several.
 */
import type { Entry } from '../history.js';
import { CALL_RULES } from './call-rules.js';
import { SESSION_RULES } from './session-rules.js';
import { Story } from './story.js';
import type { Violation } from './violation.js';

/** Every name under which a violation is told. */
export const RULES = [
  'lost answer',
  'lost effect',
  'lost note',
  'lost change',
  'doubled answer',
  'doubled event',
  'doubled note',
  'doubled effect',
  'changed history',
  'history lost',
  'crossed',
  'disorder',
  'wrong error',
  'session lost',
  'unavailable in calm',
  'server fault',
  'unexpected status',
  'resurrected',
  'open stream',
] as const;

export function check(entries: readonly Entry[]): Violation[] {
  const story = new Story(entries);
  return [...CALL_RULES, ...SESSION_RULES].flatMap((rule) => rule(story)).sort((a, b) => a.at - b.at);
}
