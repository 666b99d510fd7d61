/**
 * The legs of a run: a release of the suite and the scenarios of it that belong together.
 *
 * Which scenarios there are the suite says itself, so that a new release cannot bring one that nobody runs.
 */
import type { Release, Suite } from './suite.js';

export interface Leg {
  readonly id: string;
  readonly release: Release;
  /** Of a listed scenario: the revisions it applies to, or `extension`. */
  readonly applies: (tags: readonly string[]) => boolean;
  /** Given to the suite, which would choose one by itself; the stable release knows one only. */
  readonly revision?: string;
}

export const MODERN_REVISION = '2026-07-28';

const atRevision = (revision: string): Leg => ({
  id: revision,
  release: 'next',
  revision,
  applies: (tags) => tags.includes(revision),
});

/** In the order of the report. */
export const LEGS: readonly Leg[] = [
  { id: 'stable', release: 'stable', applies: () => true },
  atRevision('2025-06-18'),
  atRevision('2025-11-25'),
  atRevision(MODERN_REVISION),
];

export const EXTENSION_LEG: Leg = {
  id: 'extensions',
  release: 'next',
  applies: (tags) => tags.includes('extension'),
};

export function titleOf({ release, revision, id }: Leg, { versions }: Pick<Suite, 'versions'>): string {
  if (release === 'stable') return `${versions.stable}, all scenarios`;
  return `${versions.next}, ${revision ?? id}`;
}

/** A line of the suite's list: `  - tools-list [2025-06-18,2025-11-25]`. */
const LISTED = /^ {2}- (\S+) \[([^\]]*)\]$/gm;

export async function scenariosOf(leg: Leg, suite: Suite): Promise<readonly string[]> {
  const { output } = await suite.run(leg.release, ['list', '--server']);
  const names = [...output.matchAll(LISTED)]
    .filter(([, , tags = '']) => leg.applies(tags.split(',')))
    .map(([, name = '']) => name);
  if (names.length === 0) throw new Error(`the suite lists no scenario for ${leg.id}:\n${output}`);
  return names;
}
