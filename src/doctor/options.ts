/** The command line of `anynode doctor`. */
import { parseArgs } from 'node:util';
import { TOKEN } from '../core/authentication.js';

export interface DoctorOptions {
  readonly url: URL;
  readonly token: string | undefined;
  readonly redisUrl: string | undefined;
  readonly keyPrefix: string;
  readonly json: boolean;
  readonly timeoutMs: number;
  readonly watchMs: number;
  readonly nodes: number | undefined;
  /** Whether an answer may be made to fail, which can make a balancer leave nodes out for some seconds. */
  readonly provoke: boolean;
  /** Whether a session of the HTTP+SSE transport may be opened, which nobody can end. */
  readonly sse: boolean;
  readonly maxBodyBytes: number;
}

export class UsageError extends Error {}

export const DOCTOR_USAGE = `Usage: anynode doctor URL [options]

Looks at what stands between clients and the fleet. URL is that of /mcp, as clients use it.

  --token TOKEN       bearer token; better in ANYNODE_TOKEN, where other users of the machine do not see it
  --nodes N           how many nodes there are, to judge how requests are spread
  --watch SECONDS     how long idle streams and connections are watched (35)
  --timeout SECONDS   how long an answer is waited for (10)
  --max-body BYTES    MAX_BODY_BYTES of the nodes (4194304)
  --provoke           make an answer fail, to see whether POST is repeated; not on production, see DEPLOYMENT.md
  --sse               open /sse too; leaves one session behind, which ends after SESSION_TTL_MS
  --redis URL         look at Redis as well, and count the nodes there
  --key-prefix TEXT   KEY_PREFIX of the nodes
  --json              print one JSON object

Exit codes: 0 no problem, 1 problems, 2 no answer from URL or wrong usage, 130 interrupted.`;

/** @throws UsageError */
export function parseDoctorArgs(args: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const { values, positionals } = parse(args);
  if (values.help) return 'help' as const;
  const [address, ...more] = positionals;
  if (address === undefined || more.length > 0) throw new UsageError('exactly one URL is expected');
  const options: DoctorOptions = {
    url: urlOf(address),
    token: headerSafe(values.token ?? (env.ANYNODE_TOKEN || undefined)),
    redisUrl: values.redis,
    provoke: values.provoke ?? false,
    sse: values.sse ?? false,
    keyPrefix: values['key-prefix'] ?? '',
    json: values.json ?? false,
    timeoutMs: 1000 * number('--timeout', values.timeout, 10, 0.1, 600),
    watchMs: 1000 * number('--watch', values.watch, 35, 0, 3600),
    nodes: values.nodes === undefined ? undefined : Math.round(number('--nodes', values.nodes, 1, 1, 10_000)),
    maxBodyBytes: Math.round(number('--max-body', values['max-body'], 4_194_304, 256, 268_435_456)),
  };
  return options;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        token: { type: 'string' },
        nodes: { type: 'string' },
        watch: { type: 'string' },
        timeout: { type: 'string' },
        'max-body': { type: 'string' },
        provoke: { type: 'boolean' },
        sse: { type: 'boolean' },
        redis: { type: 'string' },
        'key-prefix': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // Its words name the option, and never its value.
    throw new UsageError((error as Error).message.split('\n')[0] ?? '');
  }
}

function urlOf(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError('URL is not one; it looks like https://mcp.example.com/mcp');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new UsageError('URL must be http or https');
  if (url.username !== '' || url.password !== '') throw new UsageError('URL must not hold a password; use a token');
  if (url.pathname === '/') url.pathname = '/mcp';
  return url;
}

function headerSafe(token: string | undefined): string | undefined {
  if (token !== undefined && !TOKEN.test(token)) throw new UsageError('the token has characters no token has');
  return token;
}

function number(name: string, raw: string | undefined, fallback: number, min: number, max: number): number {
  if (raw === undefined) return fallback;
  const value = Number(raw);
  if (!/^\d+(\.\d+)?$/.test(raw) || value < min || value > max) {
    throw new UsageError(`${name} must be a number from ${min} to ${max}`);
  }
  return value;
}
