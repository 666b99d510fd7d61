/**
 * What stands before a fleet: nginx with the configuration that is shipped, its upstreams replaced by the nodes of the
 * test. It is told nothing when a node goes or comes; it finds out like anybody else.
 *
 * On a machine without nginx it is the balancer of the demo, which like it tries another node where a connection was
 * refused. Where `CI` is set that would prove too little, and is a fault. Not here: health checks.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startBalancer } from '../../src/demo/balancer.js';
import { eventually } from '../support/eventually.js';

const CONFIGURATION = new URL('../../deploy/nginx/nginx.conf', import.meta.url);

export interface FrontDoor {
  readonly kind: 'nginx' | 'balancer';
  readonly url: string;
  /** What it has complained of lately, but for nodes that took no connection. */
  readonly complaints: string;
  stop(): Promise<void>;
}

/** Opens a door to nodes at fixed ports; they may come and go behind it. */
export async function openFrontDoor(nodePorts: readonly number[]): Promise<FrontDoor> {
  const nginx = await findNginx();
  if (nginx !== undefined) return startNginx(nginx, nodePorts);
  if (process.env.CI) throw new Error('nginx is not on PATH: install it, on Debian with "apt-get install nginx"');
  const balancer = await startBalancer(nodePorts.map((port) => `http://127.0.0.1:${port}`));
  return { kind: 'balancer', url: balancer.url, complaints: '', stop: () => balancer.close() };
}

async function findNginx(): Promise<string | undefined> {
  // Debian has it where only root looks.
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  for (const path of directories.map((directory) => join(directory, 'nginx'))) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

async function startNginx(binary: string, nodePorts: readonly number[]): Promise<FrontDoor> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'anynode-nginx-'));
  await writeFile(join(directory, 'nginx.conf'), await configurationFor(port, nodePorts, directory));
  const child = spawn(binary, ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    const lines = chunk
      .toString()
      .split('\n')
      .filter((line) => !line.includes('Connection refused'));
    said = (said + lines.join('\n')).slice(-10_000);
  });
  const exited = once(child, 'exit');
  // SIGTERM and not SIGKILL: the master has to take its workers along.
  const killAtExit = (): void => void child.kill('SIGTERM');
  process.on('exit', killAtExit);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    process.off('exit', killAtExit);
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      return (await fetch(`${url}/livez`)).ok;
    });
  } catch (error) {
    await stop();
    throw new Error(`nginx does not serve: ${(error as Error).message}\n${said}`);
  }
  return {
    kind: 'nginx',
    url,
    get complaints() {
      return said;
    },
    stop,
  };
}

/** The shipped file, with another port, other upstreams and its temporary files elsewhere; all else as it is. */
async function configurationFor(port: number, nodePorts: readonly number[], directory: string): Promise<string> {
  const main = process.getuid?.() === 0 ? 'user root;\n' : '';
  const servers = nodePorts.map((nodePort) => `server 127.0.0.1:${nodePort} $1;`);
  const replacements: [RegExp, string][] = [
    [/server mcp-server:3000 resolve ([^;]*);/, servers.join('\n    ')],
    [/listen 8080;/, `listen 127.0.0.1:${port};`],
    [/ \/tmp\//g, ` ${directory}/`],
    [/access_log \/dev\/stdout fleet;/, 'access_log off;'],
  ];
  let text = await readFile(CONFIGURATION, 'utf8');
  for (const [what, by] of replacements) {
    if (!what.test(text)) throw new Error(`the shipped configuration of nginx has nothing like ${what}`);
    text = text.replace(what, by);
  }
  return `${main}${text}`;
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
