/**
 * A Redis server of the tests' own: a free port, a temporary directory, nothing kept after `stop`.
 *
 * A server that runs already is never touched, not even looked at. The server is ready when it answers PING and says by
 * its process id that it is the one started here; a port can be lost to somebody else between asking and binding.
 * Not here: Sentinel and Cluster topologies, which are several of these (redis-sentinel.ts, redis-cluster.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';
import type { Authority, Certificate } from './certificates.js';
import { findRedisServer } from './redis-binary.js';

const READY_DEADLINE_MS = 10_000;
const PING_INTERVAL_MS = 20;
/** Redis ends at once on SIGTERM unless it is stuck; then it is killed. */
const STOP_DEADLINE_MS = 3_000;
/** A port is lost rarely; more often in a row means another fault, whose message must come out. */
const START_ATTEMPTS = 3;

/** A Redis of any topology, as a fleet is told of it. */
export interface RedisEntrance {
  readonly url: string;
  /** Ends all of it and removes what it left. Idempotent. */
  stop(): Promise<void>;
  /** Looks at the data as an operator would; by default a client of the address. Not connected yet. */
  inspector?(): Inspector;
}

export type Inspector = ReturnType<typeof createInspector>;

export const createInspector = (url: string) => createClient({ url });

export interface RedisServer extends RedisEntrance {
  /** Without TLS. */
  readonly port: number;
  /** That of the address. */
  readonly servicePort: number;
  readonly pid: number;
  /** SIGKILL, and the end of it. */
  kill(): Promise<void>;
}

export interface RedisServerOptions {
  /** Path of another server than the one that the tests use. */
  readonly binary?: string;
  /** Added after ours, so that they win: `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
  /** For a server that comes back where another one was; free by default. */
  readonly port?: number;
  /** The text of a configuration file of its own, which a Sentinel needs; it is then started as one. */
  readonly sentinel?: string;
  /** Speaks TLS as well, on a port of its own, which is then that of the address; clients must show a certificate. */
  readonly tls?: { readonly authority: Authority; readonly own: Certificate };
}

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? (await findRedisServer());
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(binary, options);
    } catch (error) {
      if (attempt === START_ATTEMPTS || options.port !== undefined) throw error;
    }
  }
}

async function startOnce(binary: string, options: RedisServerOptions): Promise<RedisServer> {
  const { args = [], port: wanted, sentinel, tls } = options;
  const port = wanted ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), 'anynode-redis-'));
  const logFile = join(directory, 'redis.log');
  const network = ['--bind', '127.0.0.1', '--port', String(port), '--daemonize', 'no'];
  const files = ['--dir', directory, '--logfile', logFile];
  const configFile = join(directory, 'redis.conf');
  await writeFile(configFile, sentinel ?? '');
  const kind = sentinel === undefined ? ['--save', '', '--appendonly', 'no'] : ['--sentinel'];
  const tlsPort = tls && (await freePort());
  const secured = tls ? tlsArguments(tls, String(tlsPort)) : [];
  const server = spawn(binary, [configFile, ...network, ...files, ...kind, ...secured, ...args], { stdio: 'ignore' });
  // A server that somebody forgot must not hold the process, whose exit kills it.
  server.unref();
  const exited = once(server, 'exit');
  // Not awaited where the start succeeds and the test process ends first.
  exited.catch(() => undefined);
  const killAtExit = () => {
    server.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', killAtExit);

  const stop = async (): Promise<void> => {
    if (isRunning(server)) {
      server.kill('SIGTERM');
      // A server that a test has stopped with SIGSTOP takes no SIGTERM before it goes on.
      server.kill('SIGCONT');
      const overdue = setTimeout(() => server.kill('SIGKILL'), STOP_DEADLINE_MS);
      await exited.finally(() => clearTimeout(overdue));
    }
    process.off('exit', killAtExit);
    await rm(directory, { recursive: true, force: true });
  };

  const kill = async (): Promise<void> => {
    server.kill('SIGKILL');
    if (isRunning(server)) await exited;
  };

  try {
    const pid = await untilReady(server, port);
    const url = tls ? `rediss://127.0.0.1:${tlsPort}` : `redis://127.0.0.1:${port}`;
    return { url, port, servicePort: tlsPort ?? port, pid, stop, kill };
  } catch (error) {
    const log = await readFile(logFile, 'utf8').catch(() => '');
    await stop();
    throw new Error(`redis-server on port ${port}: ${(error as Error).message}\n${log.slice(-2_000)}`);
  }
}

function tlsArguments({ authority, own }: NonNullable<RedisServerOptions['tls']>, port: string): string[] {
  const files = ['--tls-ca-cert-file', authority.certFile, '--tls-cert-file', own.certFile];
  return ['--tls-port', port, ...files, '--tls-key-file', own.keyFile, '--tls-auth-clients', 'yes'];
}

function isRunning(server: ChildProcess): boolean {
  return server.pid !== undefined && server.exitCode === null && server.signalCode === null;
}

async function untilReady(server: ChildProcess, port: number): Promise<number> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    if (server.pid === undefined) await once(server, 'spawn');
    if (!isRunning(server)) throw new Error('it ended at once');
    const reply = await ask(port, 'PING\r\nINFO server\r\n', deadline - Date.now()).catch(() => '');
    // One that wants a password is ready too, and does not say who it is.
    if (reply.startsWith('-NOAUTH') || reply.includes(`process_id:${server.pid}\r\n`)) return server.pid as number;
    if (Date.now() >= deadline) throw new Error(`no answer to PING within ${READY_DEADLINE_MS} ms`);
    await pause(PING_INTERVAL_MS);
  }
}

/** Sends inline commands on a connection of their own and returns what came back; a Sentinel does not close it at QUIT. */
async function ask(port: number, commands: string, timeoutMs: number): Promise<string> {
  const socket = createConnection({ host: '127.0.0.1', port });
  socket.setTimeout(Math.max(1, timeoutMs), () => socket.destroy(new Error('no answer')));
  socket.setEncoding('utf8');
  socket.write(`${commands}QUIT\r\n`);
  let reply = '';
  for await (const chunk of socket) {
    reply += chunk;
    if (/process_id:\d+\r\n/.test(reply)) break;
  }
  return reply;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
