/**
 * The balancers that are shipped, as processes without privileges, with the shipped configuration: in a copy of it, and
 * nowhere else, the addresses and the directory are put in, and what a test wants otherwise.
 *
 * A text that is to be replaced and is not there is an error: then the test would no longer be about the shipped file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync, rmSync } from 'node:fs';
import { access, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.js';

/** Where a proxy finds a node: the port of clients and that of operators. */
export interface Upstream {
  readonly port: number;
  readonly opsPort: number;
}

/** Text of the shipped file, and what stands there in the copy. Every occurrence is replaced. */
export type Replacements = readonly (readonly [string | RegExp, string])[];

export interface ProxyProcess {
  readonly url: string;
  /** What it printed. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface ProxyKind {
  readonly name: 'nginx' | 'haproxy';
  /** Whether it asks nodes if they are ready. One that does not can send a last request to a node that stops listening. */
  readonly asksForReadiness: boolean;
  /** Makes idle streams end after a second and a half instead of a minute and more. */
  readonly shortTimeouts: Replacements;
  /** What the shipped file forbids: sending a request again that a node may have begun. */
  readonly repeating: Replacements;
  start(upstreams: readonly Upstream[], replacements?: Replacements): Promise<ProxyProcess>;
}

/** `nobody` of every Debian: whoever runs the tests as root must not find out that the proxies need it. */
const NOBODY = 65534;
const TEMPLATE = 'server-template node- 1-32 mcp-server:3000 resolvers platform init-addr none';

export const NGINX: ProxyKind = {
  name: 'nginx',
  asksForReadiness: false,
  shortTimeouts: [[/proxy_(read|send)_timeout 75s/g, 'proxy_$1_timeout 1500ms']],
  repeating: [['proxy_next_upstream error timeout', 'proxy_next_upstream error timeout non_idempotent']],
  start: (upstreams, replacements = []) =>
    launch('nginx', 'nginx/nginx.conf', (port, directory) => [
      [/server mcp-server:3000 resolve ([^;]*);/g, upstreams.map((u) => `server 127.0.0.1:${u.port} $1;`).join('\n')],
      ['listen 8080;', `listen 127.0.0.1:${port};`],
      [/ \/tmp\//g, ` ${directory}/`],
      ...replacements,
    ]),
};

export const HAPROXY: ProxyKind = {
  name: 'haproxy',
  asksForReadiness: true,
  shortTimeouts: [[/timeout (client|server) 75s/g, 'timeout $1 1500ms']],
  repeating: [['retry-on conn-failure', 'retry-on all-retryable-errors']],
  start: (upstreams, replacements = []) =>
    launch('haproxy', 'haproxy/haproxy.cfg', (port) => [
      [TEMPLATE, upstreams.map((u, i) => `server node-${i} 127.0.0.1:${u.port} port ${u.opsPort}`).join('\n')],
      ['bind :8080', `bind 127.0.0.1:${port}`],
      ...replacements,
    ]),
};

/** Where the binary is; Debian puts both where not every user's PATH leads. */
export async function findProxy(name: string): Promise<string | undefined> {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const candidate = join(directory, name);
    if (directory === '') continue;
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}

export function substitute(text: string, replacements: Replacements): string {
  return replacements.reduce((current, [what, by]) => {
    const next = current.replaceAll(what instanceof RegExp ? what : String(what), by);
    if (next === current) throw new Error(`the configuration does not say ${what}`);
    return next;
  }, text);
}

const ARGUMENTS = {
  nginx: (file: string, directory: string) => ['-p', directory, '-e', 'stderr', '-c', file, '-g', 'daemon off;'],
  haproxy: (file: string) => ['-db', '-f', file],
};

async function launch(
  name: 'nginx' | 'haproxy',
  shipped: string,
  changes: (port: number, directory: string) => Replacements,
): Promise<ProxyProcess> {
  const binary = await findProxy(name);
  if (binary === undefined) throw new Error(`${name} is not installed`);
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), `anynode-${name}-`));
  const file = join(directory, `${name}.conf`);
  const output = join(directory, 'output');
  const text = await readFile(fileURLToPath(new URL(`../../deploy/${shipped}`, import.meta.url)), 'utf8');
  await writeFile(file, substitute(text, changes(port, directory)));
  await writeFile(output, '');
  const asRoot = process.getuid?.() === 0;
  if (asRoot) for (const path of [directory, file, output]) await chown(path, NOBODY, NOBODY);

  const descriptor = openSync(output, 'a');
  const child = spawn(binary, ARGUMENTS[name](file, directory), {
    cwd: directory,
    stdio: ['ignore', descriptor, descriptor],
    ...(asRoot && { uid: NOBODY, gid: NOBODY }),
  });
  child.unref();
  const exited = once(child, 'exit').catch(() => undefined);
  const killAtExit = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', killAtExit);
  const log = (): Promise<string> => readFile(output, 'utf8');
  const stop = async (): Promise<void> => {
    if (isRunning(child)) {
      // At once, streams included: nginx takes SIGTERM so, and HAProxy does.
      child.kill('SIGTERM');
      await exited;
    }
    process.off('exit', killAtExit);
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually(
      async () => {
        if (!isRunning(child)) return true;
        return (await fetch(`${url}/balancer`)).status === 204;
      },
      { what: `${name} that listens` },
    );
    if (!isRunning(child)) throw new Error(`${name} ended at once`);
  } catch (error) {
    const printed = await log();
    await stop();
    throw new Error(`${(error as Error).message}:\n${printed}`);
  }
  return { url, log, stop };
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
