/** The doctor as its users call it, and readings of what it says. */

import { parseRedisUrl } from '../../src/app/redis-url.js';
import type { Finding, Level } from '../../src/doctor/finding.js';
import { runDoctor } from '../../src/doctor/index.js';
import { inspectRedis } from '../../src/redis/inspect.js';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly findings: readonly Finding[];
  readonly leftBehind: number;
}

export async function callDoctor(args: readonly string[], env: Record<string, string> = {}): Promise<Said> {
  let out = '';
  let err = '';
  const code = await runDoctor(args, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    inspectRedis: async (url, prefix, timeoutMs) => inspectRedis(parseRedisUrl(url), prefix, timeoutMs),
  });
  const report = args.includes('--json') && out !== '' ? JSON.parse(out) : {};
  return { code, out, err, findings: report.findings ?? [], leftBehind: report.leftBehind ?? 0 };
}

/** Names of the checks with findings of a level, each once. */
export const named = ({ findings }: Said, ...levels: readonly Level[]): string[] => [
  ...new Set(findings.filter(({ level }) => levels.includes(level)).map(({ check }) => check)),
];

/** All findings of one check, as text. */
export const about = ({ findings }: Said, check: string): string =>
  findings
    .filter((finding) => finding.check === check)
    .map(({ level, seen, change }) => `${level}: ${seen} ${JSON.stringify(change ?? {})}`)
    .join('\n');
