/**
 * Names and addresses: who may be asked for (`Host`), from where (`Origin`), where to listen, how clients see the fleet.
 *
 * Not here: comparing a request with these lists (http).
 */
import { isIP } from 'node:net';
import { splitList, Unacceptable } from './variable.js';

export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Switches a check off. Stands alone, so that nobody believes the names beside it still count. */
export const ANY = '*';

export const HOST_ENTRY = 'host names or IP addresses (IPv6 in brackets), each with a port or without, or `*` alone';
export const ORIGIN_ENTRY =
  'host names (any scheme, any port) or origins such as `https://app.example.com`, or `*` alone';

export type AllowList = readonly string[] | typeof ANY | undefined;

export function parseAllowedHosts(raw: string): AllowList {
  return parseAllowList(raw, parseHostEntry);
}

export function parseAllowedOrigins(raw: string): AllowList {
  return parseAllowList(raw, parseOriginEntry);
}

function parseAllowList(raw: string, parseEntry: (entry: string) => string): AllowList {
  if (raw.trim() === ANY) return ANY;
  return [...new Set(splitList(raw).map(parseEntry))];
}

function parseHostEntry(entry: string): string {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(entry) ?? [];
  const host = hostName(name);
  if (host === undefined || (port !== undefined && !isPort(port))) throw new Unacceptable(HOST_ENTRY);
  return port === undefined ? host : `${host}:${port}`;
}

function parseOriginEntry(entry: string): string {
  if (!entry.includes('://')) {
    const host = hostName(entry);
    if (host === undefined) throw new Unacceptable(ORIGIN_ENTRY);
    return host;
  }
  // Browsers send web origins in lower case and without a default port; those of extensions and apps as they are.
  if (/^https?:/i.test(entry)) {
    const url = parseWebUrl(entry);
    if (url === undefined || url.pathname !== '/') throw new Unacceptable(ORIGIN_ENTRY);
    return url.origin;
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._:[\]-]+$/i.test(entry)) throw new Unacceptable(ORIGIN_ENTRY);
  return entry.toLowerCase();
}

export const PUBLIC_URL_FORM = 'an http(s) URL without user, query and fragment';

export function parsePublicUrl(raw: string): string {
  const url = parseWebUrl(raw);
  if (url === undefined) throw new Unacceptable(PUBLIC_URL_FORM);
  return url.origin + url.pathname.replace(/\/+$/, '');
}

export const LISTEN_FORM = 'an IP address without brackets, or a host name, to listen on';

export function parseListenHost(raw: string): string {
  const isName = !raw.includes(':') && hostName(raw) !== undefined;
  if (isIP(raw) === 0 && !isName) throw new Unacceptable(LISTEN_FORM);
  return raw;
}

export const TRUSTED_PROXIES_FORM =
  'how many proxies stand before the node (1 to 16), or a comma list of IP addresses and ranges such as `10.0.0.0/8`';

export function parseTrustedProxies(raw: string): number | readonly string[] {
  if (/^([1-9]|1[0-6])$/.test(raw)) return Number(raw);
  const entries = splitList(raw);
  if (!entries.every(isRange)) throw new Unacceptable(TRUSTED_PROXIES_FORM);
  return entries;
}

/** Never everybody (`/0`): that would be to believe whatever a client says. */
function isRange(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** A name as clients put it into a header: lower case, punycode, IPv6 in brackets and short. */
function hostName(text: string): string | undefined {
  // The URL parser takes more than a name, and drops or decodes some of it.
  if (text === '' || /[\s/?#@*\\%,]/.test(text) || /:\d*$/.test(text.replace(/\[.*\]/, ''))) return undefined;
  try {
    return new URL(`http://${text}`).hostname || undefined;
  } catch {
    return undefined;
  }
}

function parseWebUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^/]/i.test(text) || /[\s?#\\]/.test(text)) return undefined;
  try {
    const url = new URL(text);
    // The parser lets names through that no host can have, `*` among them.
    const sound = url.username === '' && url.password === '' && hostName(url.hostname) !== undefined;
    return sound ? url : undefined;
  } catch {
    return undefined;
  }
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65535;
}
