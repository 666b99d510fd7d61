/**
 * Every environment variable of a node, in the order of the documentation.
 */
import type { RedisTarget } from '../../core/redis-target.js';
import type { LogLevel } from '../config-types.js';
import { parseRedisUrl, REDIS_URL_FORM, showRedisUrl } from '../redis-url.js';
import {
  type AllowList,
  HOST_ENTRY,
  LISTEN_FORM,
  ORIGIN_ENTRY,
  PUBLIC_URL_FORM,
  parseAllowedHosts,
  parseAllowedOrigins,
  parseListenHost,
  parsePublicUrl,
  parseTrustedProxies,
  TRUSTED_PROXIES_FORM,
} from './addresses.js';
import { isNodeId, NODE_ID_FORM } from './node-id.js';
import { CERTIFICATES_FORM, KEY_FORM, readCertificates, readPrivateKey } from './redis-tls.js';
import {
  ISSUER_FORM,
  JWKS_URI_FORM,
  parseIssuer,
  parseJwksUri,
  parseScopeImplies,
  parseScopes,
  parseToolScopes,
  SCOPE_IMPLIES_FORM,
  SCOPES_FORM,
  TOOL_SCOPES_FORM,
} from './scopes.js';
import { AUTH_TOKENS_FORM, parseAuthTokens, parseStateSecrets, STATE_SECRETS_FORM } from './secrets.js';
import {
  type ConfigVariable,
  integer,
  matching,
  milliseconds,
  optional,
  showHidden,
  showUrl,
  text,
  Unacceptable,
} from './variable.js';

const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

const MAX_PORT = 65535;
/** A text of half a gigabyte is more than the engine can hold; half of that leaves room to parse it. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** The smallest `initialize` needs about 150 bytes: a node with less room than this serves nobody. */
const MIN_BODY_BYTES = 256;
/** Beyond any fleet; small enough for exact counting in the store's scripts. */
const MAX_COUNT = 1_000_000_000;

/** Braces would end a session's hash tag, glob characters would make an access rule (`~prefix*`) match more. */
const KEY_PREFIX_FORM = 'up to 64 characters, without white space and `{ } * ? [ ] \\`';

const SERVER_NAME_FORM = 'a host name';

const MCP_SERVER_FORM = '`demo`, `everything`, or the path or package name of a module';
const AUDIENCE_FORM = 'a text without white space';
const LOG_LEVEL_FORM = LOG_LEVELS.map((level) => `\`${level}\``).join(', ');

export const CONFIG_VARIABLES = {
  PORT: integer({ fallback: 3000, min: 0, max: MAX_PORT, meaning: 'port to listen on; 0 takes any free one' }),
  HOST: text({
    fallback: '127.0.0.1',
    accepts: LISTEN_FORM,
    meaning: 'address to listen on; the container images and manifests set 0.0.0.0',
    parse: parseListenHost,
  }),
  REDIS_URL: optional<RedisTarget>({
    accepts: REDIS_URL_FORM,
    meaning: 'where the fleet keeps its sessions; unset: the embedded store of one process, said in the log',
    parse: parseRedisUrl,
    show: showRedisUrl,
  }),
  REDIS_TLS_CA_FILE: optional({
    shownFallback: 'the authorities that Node.js trusts',
    accepts: CERTIFICATES_FORM,
    meaning: "authorities that sign Redis's certificate, for a `rediss` address; the public ones are then not trusted",
    parse: readCertificates,
  }),
  REDIS_TLS_CERT_FILE: optional({
    accepts: CERTIFICATES_FORM,
    meaning: "the node's own certificate, where Redis asks for one; with `REDIS_TLS_KEY_FILE`",
    parse: readCertificates,
  }),
  REDIS_TLS_KEY_FILE: optional({
    accepts: KEY_FORM,
    meaning: 'the key of `REDIS_TLS_CERT_FILE`',
    parse: readPrivateKey,
  }),
  REDIS_TLS_SERVER_NAME: optional({
    shownFallback: 'the host that is connected to',
    accepts: SERVER_NAME_FORM,
    meaning: "the name that Redis's certificate must have",
    parse: matching(/^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/i, SERVER_NAME_FORM),
  }),
  REDIS_SENTINEL_USERNAME: optional({
    accepts: 'a name',
    meaning: 'user of the Sentinels, where they ask for one; that of Redis is in `REDIS_URL`',
    parse: matching(/^\P{Cc}+$/u, 'a name'),
  }),
  REDIS_SENTINEL_PASSWORD: optional({
    accepts: 'a password',
    meaning: 'password of the Sentinels, where they ask for one; as it is, not percent-encoded',
    parse: matching(/^\P{Cc}+$/u, 'a password'),
    show: showHidden,
  }),
  KEY_PREFIX: text({
    fallback: '',
    shownFallback: 'empty',
    accepts: KEY_PREFIX_FORM,
    meaning: 'put before every key and channel; fleets with different prefixes never see each other',
    parse: matching(/^[^\s{}*?[\]\\\p{Cc}]{1,64}$/u, KEY_PREFIX_FORM),
  }),
  NODE_ID: optional({
    shownFallback: 'see `MACHINE_ID`, `HOSTNAME`',
    accepts: NODE_ID_FORM,
    meaning: "the node's name; two living nodes never share one",
    parse: parseNodeId,
  }),
  MACHINE_ID: optional({
    accepts: NODE_ID_FORM,
    meaning: "the node's name where `NODE_ID` is unset",
    // Set by platforms for their own purposes: its form is judged only where it is used (cross-checks).
    parse: (raw) => raw,
  }),
  HOSTNAME: optional({
    accepts: 'anything',
    meaning:
      'names the node, with a random suffix, where `NODE_ID` and `MACHINE_ID` are unset; else the name is random',
    parse: (raw) => raw,
  }),
  MCP_SERVER: text({
    fallback: 'demo',
    accepts: MCP_SERVER_FORM,
    meaning: 'what the node serves: a bundled server, or a module whose default export is a server factory',
    parse: matching(/^\P{Cc}+$/u, MCP_SERVER_FORM),
  }),
  SESSION_TTL_MS: milliseconds({
    fallback: 1_800_000,
    meaning: 'idle life time of a session, renewed by every use and by an open stream',
  }),
  SESSION_MAX_AGE_MS: milliseconds({ fallback: 0, orZero: true, meaning: 'absolute life time of a session; 0: none' }),
  STREAM_TTL_MS: milliseconds({
    fallback: 300_000,
    meaning: 'how long the events of a finished stream can be replayed',
  }),
  STREAM_UPGRADE_MS: milliseconds({
    fallback: 200,
    min: 0,
    meaning: 'a call still running after this is answered as an SSE stream that can be resumed',
  }),
  NODE_LEASE_MS: milliseconds({
    fallback: 6000,
    // Heartbeats come at a third of it; below, an ordinary pause of the process would pass for its death.
    min: 500,
    meaning: 'a node not heard of for this long is dead; heartbeats come at a third of it',
  }),
  SSE_KEEPALIVE_MS: milliseconds({ fallback: 15_000, meaning: 'distance of comment frames on idle streams' }),
  DRAIN_DELAY_MS: milliseconds({
    fallback: 2000,
    min: 0,
    meaning: 'between failing readiness and refusing new connections, at shutdown',
  }),
  DRAIN_TIMEOUT_MS: milliseconds({
    fallback: 25_000,
    min: 0,
    meaning: 'how long running calls may take to finish, at shutdown',
  }),
  REDIS_TIMEOUT_MS: milliseconds({ fallback: 800, min: 10, meaning: 'no Redis command is waited for longer' }),
  MAX_BODY_BYTES: integer({
    fallback: 4_194_304,
    min: MIN_BODY_BYTES,
    max: MAX_BODY_BYTES,
    meaning: 'larger bodies get 413',
  }),
  MAX_SESSIONS: integer({
    fallback: 0,
    min: 0,
    max: MAX_COUNT,
    meaning: 'sessions in the whole fleet; 0: no cap; over it `initialize` gets 503 with `Retry-After`',
  }),
  ALLOWED_HOSTS: optional<AllowList>({
    shownFallback: '`localhost`, `127.0.0.1`, `[::1]`, and the host of `PUBLIC_URL`',
    accepts: HOST_ENTRY,
    meaning: 'what a `Host` header may name; without port: any port; `*` switches the check off and is warned about',
    parse: parseAllowedHosts,
    show: showUrl,
  }),
  ALLOWED_ORIGINS: optional<AllowList>({
    shownFallback: '`localhost`, `127.0.0.1`, `[::1]`, and the origin of `PUBLIC_URL`',
    accepts: ORIGIN_ENTRY,
    meaning: 'what an `Origin` header may name, where there is one; `*` switches the check off and is warned about',
    parse: parseAllowedOrigins,
    show: showUrl,
  }),
  AUTH_TOKENS: optional<ReadonlyMap<string, string>>({
    accepts: AUTH_TOKENS_FORM,
    meaning: 'bearer tokens for small fleets; a user may have several; unset: nobody is authenticated',
    parse: parseAuthTokens,
    show: showHidden,
  }),
  AUTH_ISSUER: optional({
    accepts: ISSUER_FORM,
    meaning: 'issuer of access tokens (JWT, RFC 9068), letter by letter as in their `iss`; unset: none are accepted',
    parse: parseIssuer,
    show: showUrl,
  }),
  AUTH_JWKS_URI: optional({
    shownFallback: "found in the issuer's metadata",
    accepts: JWKS_URI_FORM,
    meaning: "where the issuer's keys are",
    parse: parseJwksUri,
    show: showUrl,
  }),
  AUTH_AUDIENCE: optional({
    shownFallback: '`PUBLIC_URL` + `/mcp` (and + `/sse`, for the older transport)',
    accepts: AUDIENCE_FORM,
    meaning: 'whom access tokens must be for (`aud`)',
    parse: matching(/^[\x21-\x7e]+$/, AUDIENCE_FORM),
  }),
  AUTH_SCOPES: optional<readonly string[]>({
    shownFallback: 'none',
    accepts: SCOPES_FORM,
    meaning: 'scopes that every request with an access token needs',
    parse: parseScopes,
  }),
  AUTH_TOOL_SCOPES: optional<ReadonlyMap<string, readonly string[]>>({
    shownFallback: 'what the tools say themselves',
    accepts: TOOL_SCOPES_FORM,
    meaning:
      "scopes that calls of a tool need besides; for the tools named here it stands instead of the tool's own word",
    parse: parseToolScopes,
  }),
  AUTH_SCOPE_IMPLIES: optional<ReadonlyMap<string, readonly string[]>>({
    shownFallback: 'none',
    accepts: SCOPE_IMPLIES_FORM,
    meaning: 'scopes that include others',
    parse: parseScopeImplies,
  }),
  AUTH_ANONYMOUS: text<'true' | 'false'>({
    fallback: 'false',
    accepts: '`true` or `false`',
    meaning:
      'whether to serve everybody who reaches this node, where `HOST` is no loopback address and nobody is authenticated',
    parse: (raw) => {
      if (raw !== 'true' && raw !== 'false') throw new Unacceptable('`true` or `false`');
      return raw;
    },
  }),
  PUBLIC_URL: optional({
    accepts: PUBLIC_URL_FORM,
    meaning: "the fleet's address as clients see it",
    parse: parsePublicUrl,
    show: showUrl,
  }),
  STATE_SECRETS: optional<readonly Uint8Array[]>({
    shownFallback: 'made once, kept in the store',
    accepts: STATE_SECRETS_FORM,
    meaning: 'sign the state of multi-round calls; the first signs, all verify',
    parse: parseStateSecrets,
    show: showHidden,
  }),
  STATE_TTL_MS: milliseconds({ fallback: 600_000, meaning: 'life time of a `requestState`' }),
  MAX_LISTEN_STREAMS: integer({
    fallback: 1024,
    min: 1,
    max: MAX_COUNT,
    meaning: 'open `subscriptions/listen` streams per node',
  }),
  MAX_LISTEN_STREAMS_PER_USER: integer({
    fallback: 64,
    min: 0,
    max: MAX_COUNT,
    meaning: 'open `subscriptions/listen` streams of one authenticated user in the whole fleet; 0: no bound',
  }),
  RATE_WINDOW_MS: milliseconds({ fallback: 60_000, meaning: 'length of the windows in which requests are counted' }),
  RATE_PER_USER: count({
    fallback: 120_000,
    meaning: 'requests of one authenticated user in a window, in the whole fleet; more get 429; 0: any number',
  }),
  RATE_PER_ADDRESS: count({
    fallback: 0,
    meaning: 'requests from one client address in a window, in the whole fleet; 0: any number; see `TRUSTED_PROXIES`',
  }),
  MAX_SESSIONS_PER_USER: count({
    fallback: 10_000,
    meaning: 'live sessions of one authenticated user in the whole fleet; 0: any number',
  }),
  MAX_SESSIONS_PER_ADDRESS: count({
    fallback: 0,
    meaning: 'live sessions opened from one client address, in the whole fleet; 0: any number',
  }),
  MAX_STREAMS_PER_USER: count({
    fallback: 10_000,
    meaning: 'open streams (GET, subscriptions) of one authenticated user in the whole fleet; 0: any number',
  }),
  MAX_STREAMS_PER_ADDRESS: count({
    fallback: 0,
    meaning: 'open streams (GET, subscriptions) of one client address in the whole fleet; 0: any number',
  }),
  MAX_CALLS_PER_SESSION: count({
    fallback: 1000,
    meaning: 'requests of one session that run at a time, see Limits; 0: any number',
  }),
  MAX_STATE_BYTES: count({
    // What came in one body of the default size can be kept.
    fallback: 4_194_304,
    meaning: "bytes of a session's own state, keys and values together; 0: any number",
  }),
  MAX_STATE_KEYS: count({ fallback: 10_000, meaning: "keys of a session's own state; 0: any number" }),
  MAX_BATCH_LENGTH: integer({ fallback: 100, min: 1, max: MAX_COUNT, meaning: 'messages in one batch' }),
  MAX_JSON_DEPTH: integer({
    fallback: 256,
    // The envelope of a tool call with an object as argument has five; below, nobody could be served.
    min: 8,
    // What walks a value by recursion, ours and the SDKs', has room for this on any stack.
    max: 1024,
    meaning: 'nesting of arrays and objects in a body',
  }),
  MAX_JSON_ELEMENTS: integer({
    fallback: 200_000,
    min: 64,
    max: MAX_COUNT,
    meaning: 'items and members in a body, at all depths together',
  }),
  REQUEST_TIMEOUT_MS: milliseconds({
    fallback: 90_000,
    min: 500,
    meaning: 'a request, its body included, that has not arrived after this gets 408 and its connection is closed',
  }),
  TRUSTED_PROXIES: optional<number | readonly string[]>({
    accepts: TRUSTED_PROXIES_FORM,
    meaning: 'whose `X-Forwarded-For` is believed; unset: nobody, the address of a client is that of its socket',
    parse: parseTrustedProxies,
  }),
  OPS_PORT: integer({
    fallback: undefined,
    min: 0,
    max: MAX_PORT,
    meaning: 'moves `/metrics` and what manages the fleet to a port of its own; 0 takes any free one',
  }),
  LOG_LEVEL: text<LogLevel>({
    fallback: 'info',
    accepts: LOG_LEVEL_FORM,
    meaning: 'the least level that is logged',
    parse: parseLogLevel,
  }),
};

/** A limit: 0 is none. */
function count({ fallback, meaning }: { readonly fallback: number; readonly meaning: string }): ConfigVariable<number> {
  return integer({ fallback, meaning, min: 0, max: MAX_COUNT });
}

export type VariableName = keyof typeof CONFIG_VARIABLES;

type ValueOf<V> = V extends ConfigVariable<infer T> ? T : never;

/** What the variables say, each for itself. */
export type ConfigValues = { readonly [Name in VariableName]: ValueOf<(typeof CONFIG_VARIABLES)[Name]> };

function parseNodeId(raw: string): string {
  if (!isNodeId(raw)) throw new Unacceptable(NODE_ID_FORM);
  return raw;
}

function parseLogLevel(raw: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === raw);
  if (level === undefined) throw new Unacceptable(LOG_LEVEL_FORM);
  return level;
}
