/** A rule that did not hold, with the shortest history that shows it. */
import type { Entry } from '../history.js';

export interface Violation {
  readonly rule: string;
  readonly what: string;
  /** Names that the entries of the history are found by: calls, sessions, subscriptions. */
  readonly about: readonly string[];
  /** When it showed. */
  readonly at: number;
}

const LONGEST = 60;

/** What concerns the names of the violation, and the faults of its time. */
export function historyOf(violation: Violation, entries: readonly Entry[]): Entry[] {
  const names = new Set(violation.about);
  const concerns = (entry: Entry): boolean => {
    switch (entry.type) {
      case 'call':
      case 'accepted':
      case 'done':
      case 'effect':
      case 'tally':
        return names.has(entry.op);
      case 'delivery':
        return [entry.op, entry.claim?.op, entry.stream].some((name) => name !== undefined && names.has(name));
      case 'session':
      case 'note':
      case 'leftover':
      case 'open-stream':
        return names.has(entry.session);
      case 'refused':
        return (entry.op !== undefined && names.has(entry.op)) || entry.at === violation.at;
      case 'served':
        return names.has(entry.session) && entry.at === violation.at;
      case 'subscription':
        return names.has(entry.subscription);
      default:
        return false;
    }
  };
  const own = entries.filter(concerns);
  const first = own[0]?.at ?? violation.at;
  const last = Math.max(violation.at, own.at(-1)?.at ?? 0);
  const faults = entries.filter((entry) => entry.type === 'fault' && entry.at >= first - 5000 && entry.at <= last);
  const all = [...own, ...faults].sort((a, b) => a.at - b.at);
  // The end is where it shows; a stream with hundreds of events says nothing more by its middle.
  return all.length <= LONGEST ? all : [...all.slice(0, 5), ...all.slice(5 - LONGEST)];
}

export function describe(violation: Violation, entries: readonly Entry[]): string {
  const lines = historyOf(violation, entries).map((entry) => `    ${JSON.stringify(entry)}`);
  return [`${violation.rule}: ${violation.what}`, ...lines].join('\n');
}
