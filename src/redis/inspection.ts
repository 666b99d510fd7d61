/**
 * Looks at a server before it is used: whether it can serve a fleet at all, and whether it is set up to keep what it is
 * given. What is wrong is said in a line of its own; nothing is changed.
 *
 * A managed service may forbid INFO or CONFIG: then what they would have told is not known, and nothing is held against it.
 */
import type { Logger } from '../core/logger.js';
import type { FaultReports } from './faults.js';
import type { Keys } from './keys.js';
import { scriptCommands, scripts } from './scripts.js';

export interface InspectionOptions {
  /** Sends one command to the server that is looked at, with a deadline. */
  readonly send: (args: readonly string[]) => Promise<unknown>;
  readonly server: string;
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly keys: Keys;
  /** Names a key that this server has. */
  readonly ownKey: string;
  readonly reports: FaultReports;
  readonly logger: Logger;
}

/** Older ones lack commands that the scripts use. */
const NEEDED_VERSION = 7;

/** Sent by themselves, not from a script. */
const PLAIN_COMMANDS = [
  ...['PING', 'TIME', 'EVAL', 'EVALSHA', 'SET', 'GET', 'EXISTS', 'PTTL', 'PEXPIRE', 'UNLINK', 'HGET', 'HDEL', 'HKEYS'],
  ...[
    'ZADD',
    'ZCARD',
    'ZREM',
    'ZRANGE',
    'ZRANGEBYSCORE',
    'SADD',
    'SREM',
    'SRANDMEMBER',
    'XREAD',
    'XTRIM',
    'XLEN',
    'ZCOUNT',
  ],
  ...['PUBLISH', 'SUBSCRIBE'],
];

/** Every command that a node cannot do without, whatever the topology. DEPLOYMENT.md lists the same; a test compares. */
export const NEEDED_COMMANDS: readonly string[] = [...new Set([...PLAIN_COMMANDS, ...scriptCommands])].sort();

/** False: it cannot serve, and a line says why. @throws what `send` throws, when it is not there at all. */
export async function inspect(options: InspectionOptions): Promise<boolean> {
  const { send, kind, reports, server, logger } = options;
  const optional = (args: readonly string[]): Promise<unknown> =>
    send(args).catch((error: Error) => {
      logger.debug({ server, command: args[0], reason: error.message }, 'redis: could not be checked');
      return undefined;
    });
  const [info, save] = await Promise.all([optional(['INFO']), optional(['CONFIG', 'GET', 'save'])]);
  const facts = factsOf(typeof info === 'string' ? info : '');
  for (const warning of warningsOf(facts, Array.isArray(save) ? String(save[1]) : undefined)) {
    reports.warning(warning, server);
  }
  const fault = faultOf(facts, kind);
  if (fault !== undefined) {
    // Amid a fail-over a new master is a replica for a moment, and its Sentinels know better soon.
    if (fault === REPLICA && kind !== 'single') logger.debug({ server }, `redis: ${fault}`);
    else reports.fault(fault, server);
    return false;
  }
  const forbidden = await forbiddenTo(options);
  if (forbidden.length > 0) {
    reports.fault(missingPermissions(forbidden), server);
    return false;
  }
  // A Cluster that has lost slots answers whatever has no key, and nothing else.
  await send(['EXISTS', options.ownKey]);
  return true;
}

export type Facts = ReadonlyMap<string, string>;

/** The lines of INFO. */
export function factsOf(info: string): Facts {
  const pairs = info.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon > 0 && !line.startsWith('#') ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
  });
  return new Map(pairs);
}

const REPLICA =
  'it is a replica and takes no writes: name the master in REDIS_URL, or the Sentinels (redis+sentinel://)';

/** Why it cannot serve, or undefined. What is not told is taken to be right. */
export function faultOf(facts: Facts, kind: InspectionOptions['kind']): string | undefined {
  const version = facts.get('redis_version');
  if (facts.get('redis_mode') === 'sentinel') {
    return 'it is a Sentinel: use redis+sentinel://<hosts>/<name of the master> in REDIS_URL';
  }
  if (kind !== 'cluster' && facts.get('cluster_enabled') === '1') {
    return 'it is one server of a Cluster: use redis+cluster:// in REDIS_URL';
  }
  // Valkey says of which Redis it is the like.
  if (version !== undefined && Number.parseInt(version, 10) < NEEDED_VERSION) {
    return `version ${version} is too old: Redis ${NEEDED_VERSION} or later is needed, or Valkey`;
  }
  return facts.get('role') === 'slave' ? REPLICA : undefined;
}

/** `save`: undefined where it could not be asked for. */
export function warningsOf(facts: Facts, save: string | undefined): string[] {
  const warnings: string[] = [];
  const policy = facts.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    warnings.push(
      `maxmemory-policy is ${policy}: when memory is short it throws sessions away; set it to noeviction, and give Redis enough memory`,
    );
  }
  if (facts.get('aof_enabled') === '0' && save === '') {
    warnings.push('persistence is off (neither AOF nor RDB): a restart of Redis ends all sessions; set appendonly yes');
  }
  return warnings;
}

/** Asks the server itself, which knows the access rules: nothing is tried out, so nothing can go wrong by it. */
async function forbiddenTo({ send, keys }: InspectionOptions): Promise<string[]> {
  const [plain, tagged] = [keys.session('probe'), keys.state('probe')];
  const asked = NEEDED_COMMANDS.flatMap((command) => argumentsOf(command, [plain, tagged], keys));
  const args = asked.map((words) => words.join(' '));
  return (await send(['EVAL', scripts.checkPermissions.source, '0', ...args])) as string[];
}

/** A command as the access rules see it: its name with a key or channel of each form. */
function argumentsOf(command: string, keys: readonly string[], names: Keys): string[][] {
  switch (command) {
    case 'PING':
    case 'TIME':
      return [[command]];
    case 'PUBLISH':
      return [names.bus, `${names.wakeUpChannels}x`].map((channel) => [command, channel, 'x']);
    case 'SUBSCRIBE':
      return [names.bus, `${names.wakeUpChannels}x`].map((channel) => [command, channel]);
    case 'EVAL':
    case 'EVALSHA':
      return keys.map((key) => [command, 'x', '1', key]);
    case 'XREAD':
      return keys.map((key) => [command, 'STREAMS', key, '0']);
    default:
      return keys.map((key) => [command, key]);
  }
}

const SHOWN = 6;

function missingPermissions(forbidden: readonly string[]): string {
  const rest = forbidden.length > SHOWN ? ` and ${forbidden.length - SHOWN} more` : '';
  return `the user may not do what a node needs (NOPERM): ${forbidden.slice(0, SHOWN).join(', ')}${rest}; see "Access rule" in DEPLOYMENT.md`;
}
