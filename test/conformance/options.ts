/** The command line of a run. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EXTENSION_LEG, LEGS, type Leg } from './legs.js';
import type { TargetKind } from './target.js';

const USAGE = `npm run conformance -- [options]

  (none)             the whole suite against three nodes; fails where the result is not CONFORMANCE.md
  --write            writes CONFORMANCE.md instead
  --reference        the whole suite against one node without Redis, compared with the same page
  --extensions       the extensions only; those that are not served are named, and not run
  --leg ID           this leg only, may be repeated: ${LEGS.map(({ id }) => id).join(', ')}
  --scenario NAME    these scenarios only, may be repeated
  --jobs N           so many legs side by side, each with a fleet of its own (default 2)
  --directory DIR    where the suite is installed and results are kept (default .tmp/conformance)`;

/** More would make the nodes wait for the suite's own processes on a small machine. */
const DEFAULT_JOBS = 2;

export interface Options {
  readonly target: TargetKind;
  readonly legs: readonly Leg[];
  /** Empty: all. */
  readonly scenarios: readonly string[];
  /** What is done with the page; nothing where a part only is run. */
  readonly page: 'compare' | 'write' | 'leave';
  readonly jobs: number;
  readonly directory: string;
}

/** Throws with the usage where the arguments make no sense. */
export function parseOptions(args: readonly string[]): Options {
  try {
    return parse([...args]);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`);
  }
}

function parse(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      write: { type: 'boolean', default: false },
      reference: { type: 'boolean', default: false },
      extensions: { type: 'boolean', default: false },
      leg: { type: 'string', multiple: true, default: [] },
      scenario: { type: 'string', multiple: true, default: [] },
      jobs: { type: 'string', default: String(DEFAULT_JOBS) },
      directory: { type: 'string', default: fileURLToPath(new URL('../../.tmp/conformance', import.meta.url)) },
    },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs ${values.jobs}: not a number of legs`);
  const isWhole = !values.extensions && values.leg.length === 0 && values.scenario.length === 0;
  if (values.write && (values.reference || !isWhole)) throw new Error('--write goes with the whole suite on a fleet');
  return {
    target: values.reference ? 'reference' : 'fleet',
    legs: values.extensions ? [EXTENSION_LEG] : legsNamed(values.leg),
    scenarios: values.scenario,
    page: values.write ? 'write' : isWhole ? 'compare' : 'leave',
    jobs,
    directory: resolve(values.directory),
  };
}

function legsNamed(ids: readonly string[]): readonly Leg[] {
  const unknown = ids.filter((id) => !LEGS.some((leg) => leg.id === id));
  if (unknown.length > 0) throw new Error(`--leg ${unknown.join(', ')}: no such leg`);
  return ids.length === 0 ? LEGS : LEGS.filter(({ id }) => ids.includes(id));
}
