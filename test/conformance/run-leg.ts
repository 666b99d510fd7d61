/**
 * One leg from its start to its end, on a fleet of its own: scenarios that watch what the whole server announces would
 * disturb each other, so they come one after the other, and legs that run side by side share nothing.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isServed, servedExtensions } from './extensions.js';
import { EXTENSION_LEG, type Leg, MODERN_REVISION, scenariosOf } from './legs.js';
import { runScenario } from './scenario.js';
import type { Suite } from './suite.js';
import { startTarget, type Target, type TargetKind } from './target.js';
import { broken, notServed, type Verdict } from './verdict.js';

/** A server that answers nothing any more must not hold the run for as long as all scenarios may take. */
const LEG_DEADLINE_MS = 180_000;

export interface LegReport {
  readonly leg: Leg;
  readonly verdicts: readonly Verdict[];
  /** What went wrong beside the scenarios. */
  readonly faults: readonly string[];
  /** Extensions that the server says it serves; known of legs that speak the revision that has them. */
  readonly served?: ReadonlySet<string>;
}

export interface LegOptions {
  readonly suite: Suite;
  readonly kind: TargetKind;
  readonly directory: string;
  /** Empty: all. */
  readonly scenarios: readonly string[];
}

export async function runLeg(leg: Leg, { suite, kind, directory, scenarios }: LegOptions): Promise<LegReport> {
  const listed = await scenariosOf(leg, suite);
  const names = scenarios.length === 0 ? listed : listed.filter((name) => scenarios.includes(name));
  const folder = join(directory, leg.id);
  await mkdir(folder, { recursive: true });
  const faults: string[] = [];
  const target = await startTarget(kind);
  try {
    const served = isModern(leg) ? await servedExtensions(target.url) : undefined;
    const against = { suite, leg, url: target.url, directory: folder };
    const verdicts: Verdict[] = [];
    const end = Date.now() + LEG_DEADLINE_MS;
    for (const name of names) {
      const verdict = await (async (): Promise<Verdict> => {
        if (leg === EXTENSION_LEG && !isServed(name, served ?? new Set())) return notServed(name);
        if (Date.now() >= end) return broken(name, `not begun: the leg took longer than ${LEG_DEADLINE_MS} ms`);
        return runScenario(name, against);
      })();
      show(leg, verdict);
      verdicts.push(verdict);
    }
    return { leg, verdicts, faults, ...(served && { served }) };
  } finally {
    await stopTarget(target, folder).catch((error: Error) => faults.push(`${leg.id}: ${error.message}`));
  }
}

const isModern = (leg: Leg): boolean => leg === EXTENSION_LEG || leg.revision === MODERN_REVISION;

async function stopTarget(target: Target, folder: string): Promise<void> {
  try {
    await target.stop();
  } finally {
    await writeFile(join(folder, 'nodes.log'), target.log());
  }
}

function show(leg: Leg, { scenario, result, passed, reasons }: Verdict): void {
  const checks = result === 'pass' ? ` (${passed})` : '';
  console.log([`${result.padEnd(4)}  ${leg.id}  ${scenario}${checks}`, ...reasons].join('\n      '));
}
