/**
 * Programs of other people, run to their end: each ends by its deadline at the latest, and with this process.
 *
 * A program gets a process group of its own, since what it starts itself (npm does) has to end with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';

export interface Finished {
  readonly code: number | null;
  /** Stdout and stderr; one after the other, not as they came. */
  readonly output: string;
  readonly overdue: boolean;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly deadlineMs: number;
}

const running = new Set<ChildProcess>();

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The last of the group ended at this very moment.
  }
}

process.on('exit', () => {
  for (const child of running) killGroup(child);
});

/** Whatever the test support and this file end when the process exits, they end on a signal too. */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

export async function runProgram(
  command: string,
  args: readonly string[],
  { cwd, env = { PATH: process.env.PATH }, deadlineMs }: ProgramOptions,
): Promise<Finished> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  running.add(child);
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    killGroup(child);
  }, deadlineMs);
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { code, output: out + err, overdue };
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}
