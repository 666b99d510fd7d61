/**
 * nginx as a child process, with a configuration of the test's own and nothing of the machine's.
 *
 * One process can hold many servers, each spoilt in a way of its own. Where there is no nginx, tests that need one are
 * skipped and say so; under CI they fail, so that nobody loses them unawares.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';

export interface Nginx {
  readonly stop: () => Promise<void>;
}

/** Not every user's PATH leads to where Debian puts it. */
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };

const nginxIsHere = (): boolean => spawnSync('nginx', ['-v'], { stdio: 'ignore', env }).error === undefined;

/** To be called first in a hook. */
export function needsNginx(context: Mocha.Context): void {
  if (nginxIsHere()) return;
  const message = 'nginx is not on PATH: install it, on Debian with "apt-get install nginx"';
  if (process.env.CI === 'true') throw new Error(message);
  process.stderr.write(`  ${message}; tests behind nginx are skipped\n`);
  context.skip();
}

export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(probes.map((probe) => once(probe, 'listening')));
  const ports = probes.map((probe) => (probe.address() as { port: number }).port);
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}

/** `config` is a whole nginx.conf; places for temporary files are put into its http block. */
export async function startNginx(config: string, ports: readonly number[]): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'anynode-nginx-'));
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(directory, name)};`,
  );
  const file = join(directory, 'nginx.conf');
  const own = config.replace(/^\s*(pid|\w+_temp_path)\s.*;$/gm, '');
  await writeFile(file, own.replace('http {', `http {\n  ${places.join('\n  ')}`));
  const globals = ['daemon off;', `pid ${join(directory, 'pid')};`];
  // Workers of a root process would be somebody else, and not be let into the directory.
  if (process.getuid?.() === 0) globals.push(`user ${userInfo().username};`);
  const child = spawn('nginx', ['-c', file, '-p', directory, '-e', 'stderr', '-g', globals.join(' ')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const exited = once(child, 'exit');
  const end = (): void => void child.kill('SIGTERM');
  process.on('exit', end);
  const stop = async (): Promise<void> => {
    if (isRunning(child)) {
      child.kill('SIGTERM');
      await exited;
    }
    process.off('exit', end);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await eventually(async () => {
      if (!isRunning(child)) return true;
      await Promise.all(ports.map((port) => fetch(`http://127.0.0.1:${port}/livez`, { redirect: 'manual' })));
      return true;
    });
    if (!isRunning(child)) throw new Error(`nginx ended at once:\n${said}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;
