/** The figures of a run: what was done, what was broken, how soon it worked again, and what memory it took. */

import { Story } from '../checker/story.js';
import type { Violation } from '../checker/violation.js';
import type { Entry } from '../history.js';

export interface Recovery {
  readonly faults: number;
  /** From the beginning of the fault to the first success of a call within a session that was begun after it. */
  readonly medianMs: number;
  readonly mostMs: number;
  /** From the beginning of the fault to the answer of the calls that were running then: the one that waited longest. */
  readonly waitedMs: number;
}

export interface RunResult {
  readonly kind: 'run';
  readonly seed: number;
  readonly minutes: number;
  readonly network: string;
  readonly sessions: number;
  readonly operations: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly events: number;
  readonly notes: number;
  readonly recovery: Readonly<Record<string, Recovery>>;
  readonly violations: Readonly<Record<string, number>>;
  readonly memory: { readonly nodesMb: readonly number[]; readonly redisMb: readonly number[] };
}

export interface PlantResult {
  readonly kind: 'plant';
  readonly name: string;
  readonly what: string;
  readonly seed: number;
  readonly seconds: number;
  readonly found: boolean;
  readonly rules: readonly string[];
}

export type Result = RunResult | PlantResult;

export function summarize(
  entries: readonly Entry[],
  violations: readonly Violation[],
  network: string,
): { result: RunResult; text: string } {
  const story = new Story(entries);
  const calls = [...story.calls.values()];
  const memory = entries.flatMap((entry) => (entry.type === 'memory' ? [entry] : []));
  const result: RunResult = {
    kind: 'run',
    seed: story.run?.seed ?? 0,
    minutes: story.run?.minutes ?? 0,
    network,
    sessions: story.sessions.size,
    operations: count(
      [
        ...calls.map(({ call }) => `${call.tool} by ${call.client}`),
        ...[...story.sessions.values()].flatMap(({ deletedAt }) =>
          deletedAt === Number.POSITIVE_INFINITY ? [] : ['delete'],
        ),
        ...story.subscriptions.flatMap(({ phase, session }) =>
          phase === 'open' ? [session ? 'resources/subscribe' : 'subscriptions/listen'] : [],
        ),
        ...story.deliveries.flatMap(({ what }) => (what === 'question' ? ['question answered'] : [])),
        ...new Set(story.deliveries.flatMap(({ replay, connection }) => (replay ? [connection] : []))),
      ].map((name) => (/^[0-9a-f]{8}$/.test(name) ? 'stream read again' : name)),
    ),
    outcomes: count(calls.map(({ done }) => done?.outcome ?? 'open')),
    events: story.deliveries.length,
    notes: entries.filter((entry) => entry.type === 'note' && entry.phase === 'stored').length,
    recovery: recoveries(story),
    violations: count(violations.map(({ rule }) => rule)),
    memory: { nodesMb: memory.map(({ nodes }) => Math.max(0, ...nodes)), redisMb: memory.map(({ redis }) => redis) },
  };
  return { result, text: textOf(result) };
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function recoveries(story: Story): Record<string, Recovery> {
  const successes = [...story.calls.values()]
    .filter(({ call, done }) => call.session !== undefined && done?.outcome === 'answered')
    .map(({ call, done }) => ({ began: call.at, ended: done?.at ?? 0 }))
    .sort((a, b) => a.ended - b.ended);
  const times = new Map<string, { first: number[]; waited: number }>();
  for (const { kind, from } of story.windows) {
    const known = times.get(kind) ?? { first: [], waited: 0 };
    const first = successes.find(({ began }) => began >= from);
    const running = successes.filter(({ began, ended }) => began < from && ended > from);
    times.set(kind, {
      first: [...known.first, ...(first ? [first.ended - from] : [])],
      waited: Math.max(known.waited, ...running.map(({ ended }) => ended - from)),
    });
  }
  return Object.fromEntries(
    [...times].sort().map(([kind, { first, waited }]) => {
      const sorted = [...first].sort((a, b) => a - b);
      const medianMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
      return [kind, { faults: first.length, medianMs, mostMs: sorted.at(-1) ?? 0, waitedMs: waited }];
    }),
  );
}

function textOf({
  seed,
  minutes,
  sessions,
  operations,
  outcomes,
  events,
  notes,
  recovery,
  violations,
  memory,
}: RunResult): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ') || 'none';
  return [
    `seed ${seed}, ${minutes} min: ${sessions} sessions, ${events} deliveries, ${notes} notes stored`,
    `operations: ${list(operations)}`,
    `outcomes: ${list(outcomes)}`,
    ...Object.entries(recovery).map(
      ([kind, { faults, medianMs, mostMs }]) =>
        `fault: ${kind} x${faults}, first success after ${medianMs} ms (most ${mostMs})`,
    ),
    `memory: nodes at most ${Math.max(0, ...memory.nodesMb)} MB, Redis at most ${Math.max(0, ...memory.redisMb)} MB`,
    `violations: ${list(violations)}`,
  ].join('\n');
}
