/**
 * `npm run conformance`: the official suite against a fleet, and its result held against CONFORMANCE.md.
 *
 * The last line is `conformance: N passed, N failed`; what went wrong beside the scenarios counts as failed too. Exit code
 * 0 where nothing failed, 1 where something did, 2 where the run could not be made.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differences } from './compare.js';
import type { Leg } from './legs.js';
import { type Options, parseOptions } from './options.js';
import { renderPage } from './page.js';
import { exitOnSignals } from './processes.js';
import { type LegReport, runLeg } from './run-leg.js';
import { installSuite } from './suite.js';

const PAGE = fileURLToPath(new URL('../../CONFORMANCE.md', import.meta.url));

async function main(): Promise<void> {
  exitOnSignals();
  const options = parseOptions(process.argv.slice(2));
  const suite = await installSuite(join(options.directory, 'suite'));
  const directory = await mkdtemp(join(options.directory, 'results-'));
  const cleanUp = (): void => rmSync(directory, { recursive: true, force: true });
  process.once('exit', cleanUp);
  const reports = await sideBySide(options, (leg) =>
    runLeg(leg, { suite, kind: options.target, directory, scenarios: options.scenarios }),
  );

  const faults = [
    ...reports.flatMap((report) => report.faults),
    ...(await settlePage(options, renderPage(reports, suite))),
  ];
  for (const fault of faults) console.log(`fault: ${fault}`);
  const verdicts = reports.flatMap((report) => report.verdicts);
  if (verdicts.length === 0) faults.push('no scenario was run');
  const passed = verdicts.filter(({ result }) => result === 'pass' || result === 'excepted').length;
  const failed = verdicts.filter(({ result }) => result === 'fail').length + faults.length;
  if (failed > 0) {
    process.off('exit', cleanUp);
    console.log(`what the suite and the nodes said is in ${directory}`);
  }
  console.log(`conformance: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Later legs are the longer ones: they begin first, so that none of them is left over alone. */
async function sideBySide(
  { legs, jobs }: Options,
  run: (leg: Leg) => Promise<LegReport>,
): Promise<readonly LegReport[]> {
  const reports = new Map<Leg, LegReport>();
  const waiting = [...legs];
  const worker = async (): Promise<void> => {
    for (let leg = waiting.pop(); leg !== undefined; leg = waiting.pop()) reports.set(leg, await run(leg));
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return legs.flatMap((leg) => reports.get(leg) ?? []);
}

async function settlePage({ page }: Options, found: string): Promise<readonly string[]> {
  if (page === 'write') await writeFile(PAGE, found);
  if (page !== 'compare') return [];
  const lines = differences(await readFile(PAGE, 'utf8').catch(() => ''), found);
  return lines.length === 0 ? [] : [['CONFORMANCE.md is not what was found', ...lines].join('\n  ')];
}

main().catch((error: Error) => {
  console.error(error.message);
  // What else is running ends with this process.
  process.exit(2);
});
