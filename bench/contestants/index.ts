/** Who takes part, and with what it is started. */
import { fileURLToPath } from 'node:url';

export interface Contestant {
  readonly id: string;
  readonly label: string;
  readonly module: string;
  readonly env: Readonly<Record<string, string>>;
  /** How a client has to talk to it: sessions, none, or what is not MCP at all. */
  readonly speaks: 'sessions' | 'stateless' | 'modern' | 'plain';
  readonly needsRedis: boolean;
  /** What it wants to be shown: see authority.ts. */
  readonly asksFor?: 'token' | 'jwt';
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

const module = (name: string): string => fileURLToPath(new URL(`${name}.ts`, import.meta.url));
const v1 = { module: module('v1'), needsRedis: false };
const v2 = { module: module('v2'), env: {}, needsRedis: false };
/** The program itself, as it was built, with its defaults. */
const anynode = { module: fileURLToPath(new URL('../../dist/main.js', import.meta.url)), needsRedis: true };
const fresh = { PORT: '0', LOG_LEVEL: 'info', DRAIN_DELAY_MS: '0', MCP_SERVER: module('anynode-server') };
const reusable = { ...fresh, BENCH_REUSABLE: '1' };
/** One user makes all requests: counted as by default, and never too many. */
const uncapped = { ...reusable, RATE_PER_USER: '1000000000' };
const unlimited = {
  ...reusable,
  RATE_PER_USER: '0',
  MAX_SESSIONS_PER_USER: '0',
  MAX_STREAMS_PER_USER: '0',
  MAX_CALLS_PER_SESSION: '0',
  MAX_STATE_BYTES: '0',
  MAX_STATE_KEYS: '0',
};

export const CONTESTANTS: readonly Contestant[] = [
  {
    id: 'limit-a',
    label: 'limit A: node:http and JSON',
    module: module('plain'),
    env: {},
    speaks: 'plain',
    needsRedis: false,
  },
  {
    id: 'limit-b',
    label: 'limit B: A and one Redis script',
    module: module('plain'),
    env: {},
    speaks: 'plain',
    needsRedis: true,
  },
  { ...v1, id: 'v1-sessions', label: 'SDK 1.x, sessions in memory', env: {}, speaks: 'sessions' },
  { ...v1, id: 'v1-json', label: 'SDK 1.x, the same, JSON answers', env: { BENCH_JSON: '1' }, speaks: 'sessions' },
  { ...v1, id: 'v1-stateless', label: 'SDK 1.x, stateless', env: { BENCH_MODE: 'stateless' }, speaks: 'stateless' },
  { ...v2, id: 'v2-stateless', label: 'SDK 2.x handler, stateless', speaks: 'stateless' },
  { ...v2, id: 'v2-modern', label: 'SDK 2.x handler, 2026-07-28', speaks: 'modern' },
  { ...anynode, id: 'anynode-reusable', label: 'anynode, reusable servers', env: reusable, speaks: 'sessions' },
  {
    ...anynode,
    id: 'anynode-followed',
    label: 'anynode, reusable, not quiet',
    env: { ...reusable, BENCH_FOLLOWED: '1' },
    speaks: 'sessions',
  },
  {
    ...anynode,
    id: 'anynode-lists',
    label: 'anynode, reusable servers, fixed lists',
    env: { ...reusable, BENCH_LISTS: '1' },
    speaks: 'sessions',
  },
  { ...anynode, id: 'anynode-fresh', label: 'anynode, a server per request', env: fresh, speaks: 'sessions' },
  { ...anynode, id: 'anynode-open', label: 'anynode, anybody, no limits', env: unlimited, speaks: 'sessions' },
  {
    ...anynode,
    id: 'anynode-tokens',
    label: 'anynode, a fixed token, default limits',
    env: uncapped,
    speaks: 'sessions',
    asksFor: 'token',
  },
  {
    ...anynode,
    id: 'anynode-jwt',
    label: 'anynode, a JWT, default limits',
    env: uncapped,
    speaks: 'sessions',
    asksFor: 'jwt',
  },
  { ...anynode, id: 'anynode-modern', label: 'anynode, 2026-07-28', env: fresh, speaks: 'modern' },
];

export function contestant(id: string): Contestant {
  const found = CONTESTANTS.find((one) => one.id === id);
  if (!found) throw new Error(`there is no contestant ${id}`);
  return found;
}
