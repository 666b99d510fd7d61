/**
 * `npm run chaos`: breaks a fleet on purpose and judges what its clients saw.
 *
 * Exit code 0: nothing was lost, doubled or crossed (with a planted fault: it was found). 1: otherwise. Whatever was
 * started is ended by its own pid, also at an interruption.
 */
import { check, RULES } from './checker/check.js';
import { describe, type Violation } from './checker/violation.js';
import { Ending, endAll } from './ending.js';
import { type Entry, readHistory } from './history.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { PLANTS, plantBuild } from './plants.js';
import { networkFaults } from './report/network.js';
import { keepResult, writeProof } from './report/proof.js';
import { summarize } from './report/summary.js';
import { run } from './run.js';

/** More say nothing new, and the first one is nearest to the cause. */
const SHOWN = 5;

async function main(options: Options): Promise<boolean> {
  let good = true;
  if (options.judge !== undefined) {
    good = await judge(options, readHistory(options.judge));
  } else if (options.plants.length === 0) {
    for (const seed of options.seeds) {
      const entries = await run({ ...runOptions(options, seed), file: options.history });
      good = (await judge(options, entries)) && good;
    }
  } else {
    for (const plant of options.plants) good = (await findPlant(options, plant)) && good;
  }
  if (options.record) await writeProof();
  return good;
}

async function judge(options: Options, entries: readonly Entry[]): Promise<boolean> {
  const violations = check(entries);
  show(violations, entries);
  const summary = summarize(entries, violations, await networkFaults());
  say(summary.text);
  if (options.record) await keepResult(summary.result);
  const broken = new Set(violations.map(({ rule }) => rule));
  say(`chaos: ${RULES.length - broken.size} passed, ${broken.size} failed (rules, seed ${summary.result.seed})`);
  return violations.length === 0;
}

async function findPlant(options: Options, name: string): Promise<boolean> {
  const plant = PLANTS[name];
  if (!plant) throw new Error(name);
  const build = await plantBuild(plant);
  const ending = new Ending();
  ending.add(() => build.remove());
  try {
    const [seed = 1] = options.seeds;
    const faults = options.faults ?? plant.faults;
    const began = performance.now();
    const entries = await run({
      ...runOptions(options, seed),
      minutes: Math.min(options.minutes, 1),
      dist: build.dist,
      plant: name,
      faults,
      restMs: [800, 2000],
      file: options.history,
    });
    const seconds = Math.round((performance.now() - began) / 1000);
    const violations = check(entries);
    const telling = violations.filter(({ rule }) => plant.breaks.includes(rule));
    show(telling.slice(0, 1), entries);
    const rules = [...new Set(violations.map(({ rule }) => rule))];
    say(`chaos: plant ${name} ${telling.length > 0 ? 'found' : 'NOT FOUND'} in ${seconds} s (${rules.join(', ')})`);
    if (options.record)
      await keepResult({ kind: 'plant', name, what: plant.what, seed, seconds, found: telling.length > 0, rules });
    return telling.length > 0;
  } finally {
    await ending.run();
  }
}

function runOptions({ minutes, clients, leaseMs, faults, restMs }: Options, seed: number) {
  return { seed, minutes, clients, leaseMs, faults, ...(restMs && { restMs }) };
}

function show(violations: readonly Violation[], entries: readonly Entry[]): void {
  for (const violation of violations.slice(0, SHOWN)) say(describe(violation, entries));
  if (violations.length > SHOWN) say(`... and ${violations.length - SHOWN} more`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void endAll().finally(() => process.exit(1));
  });
}

// Exits by itself, whatever a client of the run still has open.
main(options).then(
  (good) => process.exit(good ? 0 : 1),
  async (error: Error) => {
    process.stderr.write(`chaos: ${error.stack}\n`);
    await endAll();
    process.exit(1);
  },
);
