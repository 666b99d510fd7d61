/**
 * A Redis of the demo's own: free port, temporary directory, gone with the demo.
 *
 * One that runs already is never used: the demo kills nodes and leaves keys to expire, which is nobody else's business.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_DEADLINE_MS = 10_000;
/** Between asking for a free port and using it somebody else may take it. */
const ATTEMPTS = 3;

export interface DemoRedis {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** Undefined: there is no `redis-server` on PATH. */
export async function startDemoRedis(): Promise<DemoRedis | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(await freePort());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function startOnce(port: number): Promise<DemoRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'anynode-demo-'));
  const options = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', directory, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const cleanUp = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', cleanUp);

  let version = '';
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('redis-server does not get ready')), START_DEADLINE_MS);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with code ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      version ||= /Redis version=([\d.]+)/.exec(line)?.[1] ?? '';
      if (!line.includes('Ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
    void exited.then(() => clearTimeout(timer));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    process.off('exit', cleanUp);
    cleanUp();
  };
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, version, stop };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
