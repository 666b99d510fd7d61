/** One scenario of the suite against one server: a process of its own, with a deadline, and what its checks come to. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exceptionOf } from './known-exceptions.js';
import type { Leg } from './legs.js';
import type { Suite } from './suite.js';
import { broken, type Check, judge, type Verdict } from './verdict.js';

/** The longest one takes 3 s on a quiet machine; a request that is never answered has to end all the same. */
const DEADLINE_MS = 60_000;
/** Ends before ours, so that the suite can still say what it waited for. Its stable release has no such option. */
const OWN_TIMEOUT_MS = 45_000;

export interface Against {
  readonly suite: Suite;
  readonly leg: Leg;
  readonly url: string;
  /** Keeps what the suite said and saw, a folder for each scenario. */
  readonly directory: string;
}

export async function runScenario(scenario: string, { suite, leg, url, directory }: Against): Promise<Verdict> {
  const folder = join(directory, scenario);
  await mkdir(folder, { recursive: true });
  const args = ['server', '--url', url, '--scenario', scenario, '--output-dir', folder];
  if (leg.revision !== undefined) args.push('--spec-version', leg.revision);
  if (leg.release === 'next') args.push('--timeout', String(OWN_TIMEOUT_MS));
  const { code, output, overdue } = await suite.run(leg.release, args, DEADLINE_MS);
  await writeFile(join(folder, 'output.txt'), output);

  if (overdue) return broken(scenario, `not done within ${DEADLINE_MS} ms`);
  const checks = await readChecks(folder);
  if (checks === undefined) return broken(scenario, `no result (exit code ${code}): ${lastLines(output)}`);
  const verdict = judge(scenario, checks, exceptionOf(leg, scenario));
  if (code === 0 || verdict.result !== 'pass') return verdict;
  return { ...verdict, result: 'fail', reasons: [`exit code ${code}: ${lastLines(output)}`] };
}

async function readChecks(folder: string): Promise<readonly Check[] | undefined> {
  const file = (await readdir(folder, { recursive: true })).find((name) => name.endsWith('checks.json'));
  return file === undefined ? undefined : JSON.parse(await readFile(join(folder, file), 'utf8'));
}

const lastLines = (output: string): string => output.trim().split('\n').slice(-3).join(' | ');
