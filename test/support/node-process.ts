/**
 * One node as its users run it: a process of its own, started from `dist/main.js`, known by what it prints and serves.
 *
 * Its environment is only what is given here, so that a variable of the machine never decides a test. Whatever is still
 * alive when the tests end is killed by its own pid.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './eventually.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 10_000;

export interface LogLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface NodeOutput {
  /** JSON lines of stdout, in order. */
  readonly log: LogLine[];
  /** Everything printed, stdout and stderr, line by line. */
  readonly raw: string[];
}

export interface NodeProcess extends NodeOutput {
  readonly pid: number;
  readonly port: number;
  readonly nodeId: string;
  readonly url: string;
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL where it is not gone in time; resolves with how it ended. */
  stop(): Promise<Exit>;
}

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

interface Spawned extends NodeOutput {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly listening: Promise<LogLine>;
}

function spawnNode(env: Readonly<Record<string, string>>, main = MAIN): Spawned {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'test', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  // What a failing test forgets to stop must not keep the run from ending; the exit handler above ends it then.
  child.unref();
  for (const pipe of [child.stdout, child.stderr]) (pipe as Socket).unref();
  const log: LogLine[] = [];
  const raw: string[] = [];
  const exited = once(child, 'close').then(([code, signal]) => {
    alive.delete(child);
    return { code, signal } as Exit;
  });
  const listening = new Promise<LogLine>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      raw.push(line);
      try {
        const parsed = JSON.parse(line) as LogLine;
        log.push(parsed);
        if (parsed.msg === 'listening') resolve(parsed);
      } catch {
        // Not a log line; `raw` has it for the tests that look.
      }
    });
  });
  createInterface({ input: child.stderr }).on('line', (line) => raw.push(line));
  return { child, log, raw, exited, listening };
}

/** Starts a node on a free port and waits until it says that it listens; `main` is another build of the program. */
export async function startNode(env: Readonly<Record<string, string>> = {}, main?: string): Promise<NodeProcess> {
  const { child, log, raw, exited, listening } = spawnNode(env, main);
  const failed = exited.then((exit): never => {
    throw new Error(`the node ended before it listened (${JSON.stringify(exit)}):\n${raw.join('\n')}`);
  });
  failed.catch(() => {});
  let line: LogLine;
  try {
    line = await within(Promise.race([listening, failed]), 'a node that listens', START_DEADLINE_MS);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const port = Number(line.port);
  return {
    pid: child.pid ?? 0,
    port,
    nodeId: String(line.nodeId),
    url: `http://127.0.0.1:${port}`,
    log,
    raw,
    exited,
    signal: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM');
      // A stopped process (SIGSTOP) would not see the SIGTERM.
      child.kill('SIGCONT');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

/** Starts a node that is expected to refuse; resolves with how it ended and what it said. */
export async function runToExit(env: Readonly<Record<string, string>>): Promise<Exit & NodeOutput> {
  const { child, log, raw, exited } = spawnNode(env);
  try {
    return { ...(await within(exited, 'end of the node', START_DEADLINE_MS)), log, raw };
  } finally {
    child.kill('SIGKILL');
  }
}
