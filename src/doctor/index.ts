/** `anynode doctor URL`: the command line around an examination. */
import { examine, Interrupted, Unreachable } from './examine.js';
import { DOCTOR_USAGE, type DoctorOptions, parseDoctorArgs, UsageError } from './options.js';
import { countOf, renderReport } from './report.js';
import type { Visit } from './visit.js';

export type { RedisFacts } from './redis-facts.js';

export interface DoctorSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly inspectRedis: Visit['inspectRedis'];
  /** Resolves when the user wants it to end: then it cleans up, and ends with 130. */
  readonly interrupted?: Promise<void>;
}

/** What shells use for SIGINT. */
const INTERRUPTED = 130;

/** Resolves with the exit code: 0 no problem, 1 problems, 2 no answer or wrong usage, 130 interrupted. */
export async function runDoctor(
  args: readonly string[],
  { env, out, err, inspectRedis, interrupted = new Promise(() => {}) }: DoctorSurroundings,
) {
  let options: DoctorOptions | 'help';
  try {
    options = parseDoctorArgs(args, env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    err(`anynode doctor: ${error.message}\n\n${DOCTOR_USAGE}\n`);
    return 2;
  }
  if (options === 'help') {
    out(`${DOCTOR_USAGE}\n`);
    return 0;
  }
  // A query may hold a secret.
  const address = `${options.url.origin}${options.url.pathname}`;
  try {
    const examination = await examine(options, inspectRedis, interrupted);
    const report = options.json
      ? `${JSON.stringify({ url: address, ...examination })}\n`
      : renderReport(address, examination);
    out(report);
    return countOf(examination.findings, 'problem') > 0 ? 1 : 0;
  } catch (error) {
    if (error instanceof Interrupted) return INTERRUPTED;
    if (!(error instanceof Unreachable)) throw error;
    if (options.json) out(`${JSON.stringify({ url: address, unreachable: error.message })}\n`);
    else err(`anynode doctor: no answer from ${address}: ${error.message}\n`);
    return 2;
  }
}
