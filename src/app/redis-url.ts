/**
 * `REDIS_URL` in its three forms: one server, a set of Sentinels, a Cluster; each with TLS (`rediss`) or without.
 *
 * What the client library would ignore without a word (a query, a user without password) is refused here: a node that
 * connects to something else than was meant is worse than one that does not start.
 */
import type { RedisAddress, RedisTarget } from '../core/redis-target.js';
import { showUrl, Unacceptable } from './config/variable.js';

export const REDIS_URL_FORM =
  '`redis://[user:password@]host[:port][/database]`, `rediss://...`, ' +
  '`redis+sentinel://[user:password@]host[:26379],.../master[/database]` or ' +
  '`redis+cluster://[user:password@]host[:6379],...`; with TLS `rediss+sentinel://...` or `rediss+cluster://...`';

const SENTINEL_PORT = 26379;
const REDIS_PORT = 6379;

interface Parts {
  readonly scheme: string;
  readonly credentials: { readonly username?: string; readonly password?: string };
  readonly hosts: string;
  /** What follows the hosts, split at slashes. */
  readonly path: readonly string[];
}

/** @throws Unacceptable */
export function parseRedisUrl(raw: string): RedisTarget {
  const { scheme, credentials, hosts, path } = split(raw);
  const form = /^redis(s?)(?:\+(sentinel|cluster))?$/.exec(scheme);
  if (form === null) throw refuse();
  const access = { ...credentials, ...(form[1] === 's' && { tls: {} }) };
  if (form[2] === 'sentinel') {
    const [master, database, ...rest] = path;
    if (master === undefined || rest.length > 0) throw refuse('the name of the master after the hosts');
    const nodes = parseHosts(hosts, SENTINEL_PORT);
    return { kind: 'sentinel', nodes, master: decode(master), ...access, ...parseDatabase(database) };
  }
  if (form[2] === 'cluster') {
    if (path.length > 0) throw refuse('a cluster has no databases');
    return { kind: 'cluster', nodes: parseHosts(hosts, REDIS_PORT), ...access };
  }
  const [node, ...others] = parseHosts(hosts, REDIS_PORT);
  if (node === undefined || others.length > 0 || path.length > 1) throw refuse();
  return { kind: 'single', nodes: [node], ...access, ...parseDatabase(path[0]) };
}

/** A URL, sound or not, as it may be shown. Without an `@`, what follows a colon may be a password that lost its host. */
export function showRedisUrl(raw: string): string {
  const shown = showUrl(raw);
  if (shown.includes('@')) return shown;
  return shown.replace(/:(?!\/\/|\d{1,5}(?:[,/?]|$))[^,/?]*/g, ':***');
}

function split(raw: string): Parts {
  const match = /^([a-z+]+):\/\/([^/?#\s]+)((?:\/[^/?#\s]*)*)$/i.exec(raw);
  if (match === null)
    throw refuse(raw.includes('@') ? 'special characters of the password percent-encoded' : undefined);
  const [, scheme = '', authority = '', rest = ''] = match;
  const at = authority.lastIndexOf('@');
  const path = rest.split('/').slice(1);
  // One slash after the hosts means nothing.
  if (path.length === 1 && path[0] === '') path.pop();
  if (path.includes('')) throw refuse();
  return {
    scheme: scheme.toLowerCase(),
    credentials: at < 0 ? {} : parseCredentials(authority.slice(0, at)),
    hosts: authority.slice(at + 1),
    path,
  };
}

function parseCredentials(userinfo: string): { username?: string; password: string } {
  const colon = userinfo.indexOf(':');
  // The client would send no AUTH at all for a user without a password.
  if (colon < 0 || colon === userinfo.length - 1) throw refuse('a password after the user');
  const password = decode(userinfo.slice(colon + 1));
  return colon === 0 ? { password } : { username: decode(userinfo.slice(0, colon)), password };
}

function parseHosts(text: string, defaultPort: number): RedisAddress[] {
  return text.split(',').map((entry) => {
    const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(entry);
    const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
    const host = match?.[1] ?? match?.[2];
    if (host === undefined || port < 1 || port > 65535) throw refuse();
    return { host, port };
  });
}

function parseDatabase(text: string | undefined): { database?: number } {
  if (text === undefined) return {};
  if (!/^(0|[1-9]\d{0,4})$/.test(text)) throw refuse('the number of a database');
  return { database: Number(text) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('percent signs written as %25');
  }
}

function refuse(detail?: string): Unacceptable {
  return new Unacceptable(detail === undefined ? REDIS_URL_FORM : `${REDIS_URL_FORM} (${detail})`);
}
