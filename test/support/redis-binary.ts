/**
 * Where `redis-server` is: what `ANYNODE_REDIS_SERVER` names (a Valkey, another version), else the one on PATH; on a machine without one, Debian's package is installed, once, and its service is not started.
 *
 * Not here: other packagers. Where this cannot help it says in one line what to install.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Debian's way to tell package scripts which services may be started; 101 means none. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY = '#!/bin/sh\nexit 101\n';

let found: Promise<string> | undefined;

/** Looks and installs once for each process, however many tests ask at the same time. */
export function findRedisServer(): Promise<string> {
  found ??= findOrInstall();
  return found;
}

async function findOrInstall(): Promise<string> {
  const chosen = process.env.ANYNODE_REDIS_SERVER;
  if (chosen) {
    if (await isExecutable(chosen)) return chosen;
    throw new Error(`ANYNODE_REDIS_SERVER=${chosen}: not a program that can be run`);
  }
  const present = await onPath('redis-server');
  if (present) return present;
  const reason = await install();
  const installed = await onPath('redis-server');
  if (installed) return installed;
  throw new Error(`redis-server is not on PATH (${reason}): install it, on Debian with "apt-get install redis-server"`);
}

export async function onPath(program: string): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(directory, program);
    if (directory !== '' && (await isExecutable(candidate))) return candidate;
  }
  return undefined;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Returns why there may still be none. */
async function install(): Promise<string> {
  const aptGet = await onPath('apt-get');
  if (!aptGet) return 'there is no apt-get here';
  if (process.getuid?.() !== 0) return 'only root can install it';
  process.stderr.write('redis-server is not on PATH; installing the Debian package redis-server\n');
  const ours = await forbidServices();
  try {
    const update = await run(aptGet, ['update']);
    if (update !== 0) return `apt-get update ended with ${update}`;
    const status = await run(aptGet, ['install', '-y', '--no-install-recommends', 'redis-server']);
    return `apt-get install ended with ${status}`;
  } finally {
    if (ours) await rm(POLICY_FILE, { force: true });
  }
}

/** False: there is a policy already, and it stays as it is. */
async function forbidServices(): Promise<boolean> {
  try {
    await writeFile(POLICY_FILE, POLICY, { mode: 0o755, flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

async function run(command: string, args: readonly string[]): Promise<number | null> {
  // RUNLEVEL 1 keeps init scripts quiet where no policy could be written; waiting for the lock serves parallel runs.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const child = spawn(command, ['-o', 'DPkg::Lock::Timeout=120', ...args], { env, stdio: ['ignore', 'ignore', 2] });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status;
}
