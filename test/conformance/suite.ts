/**
 * The official conformance suite, both releases, with the Node that it needs (it asks for 22, the project runs on 20).
 *
 * Guarantee: what runs is what `suite/package-lock.json` fixes. An installation appears in its place complete or not at
 * all, is used again as long as the lock stays as it is, and two runs may install at the same time.
 *
 * Not here: the dependencies of the project. The suite is a program that is run, never a module that is imported.
 */

import { rmSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Finished, runProgram } from './processes.js';

const WANTED = fileURLToPath(new URL('./suite', import.meta.url));
const INSTALL_DEADLINE_MS = 300_000;
const LIST_DEADLINE_MS = 60_000;
/** `node` brings its binary by an install script; a setting of the machine must not leave it out. */
const NPM_CI = ['ci', '--ignore-scripts=false', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

/** Names in `suite/package.json`; the releases behind them are fixed there and nowhere else. */
export type Release = 'stable' | 'next';

export interface Suite {
  readonly versions: Readonly<Record<Release | 'node', string>>;
  /** Runs the suite's program. */
  run(release: Release, args: readonly string[], deadlineMs?: number): Promise<Finished>;
}

export async function installSuite(directory: string): Promise<Suite> {
  if (!(await isComplete(directory))) await install(directory);
  return {
    versions: await versions(),
    run: (release, args, deadlineMs = LIST_DEADLINE_MS) => {
      const program = join(directory, 'node_modules', `conformance-${release}`, 'dist', 'index.js');
      const node = join(directory, 'node_modules', 'node', 'bin', 'node');
      return runProgram(node, [program, ...args], { cwd: directory, deadlineMs });
    },
  };
}

async function versions(): Promise<Suite['versions']> {
  const { dependencies } = JSON.parse(await readFile(join(WANTED, 'package.json'), 'utf8'));
  const version = (name: string): string => String(dependencies[name]).split('@').at(-1) ?? '';
  return { stable: version('conformance-stable'), next: version('conformance-next'), node: version('node') };
}

async function isComplete(directory: string): Promise<boolean> {
  const [here, wanted] = await Promise.all(
    [directory, WANTED].map((place) => readFile(join(place, 'package-lock.json'), 'utf8').catch(() => undefined)),
  );
  return wanted !== undefined && here === wanted;
}

async function install(directory: string): Promise<void> {
  console.log(`installing the conformance suite into ${directory}`);
  // Beside its place, so that the last step is a rename.
  const staging = `${directory}.${process.pid}`;
  const cleanUp = (): void => rmSync(staging, { recursive: true, force: true });
  process.once('exit', cleanUp);
  await mkdir(dirname(directory), { recursive: true });
  await cp(WANTED, staging, { recursive: true });
  const { code, output } = await runProgram('npm', NPM_CI, {
    cwd: staging,
    env: process.env,
    deadlineMs: INSTALL_DEADLINE_MS,
  });
  if (code !== 0) throw new Error(`npm could not install the conformance suite (${code}):\n${output}`);
  const binary = await runProgram(join(staging, 'node_modules', 'node', 'bin', 'node'), ['--version'], {
    cwd: staging,
    deadlineMs: LIST_DEADLINE_MS,
  });
  if (binary.code !== 0) throw new Error(`the installed Node does not run:\n${binary.output}`);
  await moveInto(staging, directory);
  process.off('exit', cleanUp);
  cleanUp();
}

/** Another run may have been faster; what it has put there is the same. */
async function moveInto(staging: string, directory: string): Promise<void> {
  if (await isComplete(directory)) return;
  await rm(directory, { recursive: true, force: true });
  await rename(staging, directory).catch(async (error: unknown) => {
    if (!(await isComplete(directory))) throw error;
  });
}
