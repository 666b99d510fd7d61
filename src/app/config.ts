/**
 * From environment to configuration: every variable checked, all faults collected, the result frozen.
 *
 * The environment is an argument: several nodes of one process can differ, and nothing but `main` reads the real one.
 * Not here: what is only known when the node starts (a port that is taken, a module that does not load).
 */
import { ANY, LOOPBACK_NAMES } from './config/addresses.js';
import { type ConfigFault, crossFaults, crossWarnings } from './config/cross-checks.js';
import { deepFreeze } from './config/deep-freeze.js';
import { nodeIdOfHost } from './config/node-id.js';
import { withTls } from './config/redis-tls.js';
import { unknownVariables } from './config/unknown-variables.js';
import { Unacceptable } from './config/variable.js';
import { CONFIG_VARIABLES, type ConfigValues, type VariableName } from './config/variables.js';
import type { Config, RedisTarget } from './config-types.js';

export { describeConfig } from './config/describe.js';
export { CONFIG_VARIABLES, type ConfigFault };

export type ParsedConfig =
  | { readonly config: Config; readonly warnings: readonly string[] }
  | { readonly faults: readonly ConfigFault[] };

const NAMES = Object.keys(CONFIG_VARIABLES) as VariableName[];

/** Reads nothing but the variables of {@link CONFIG_VARIABLES}; an empty one counts as unset. */
export function parseConfig(env: NodeJS.ProcessEnv): ParsedConfig {
  const { values, faults } = parseEach(env);
  faults.push(...crossFaults(values, new Set(faults.map(({ variable }) => variable as VariableName))));
  if (faults.length > 0) return { faults };
  const unknown = unknownVariables(env, new Set(NAMES)).map(
    (name) => `${name} is not a variable of this program: ignored`,
  );
  return { config: deepFreeze(assemble(values)), warnings: [...unknown, ...crossWarnings(values)] };
}

/** One line: variable, value, what is expected. */
export function formatFault({ variable, value, expected }: ConfigFault): string {
  return `${variable}=${JSON.stringify(value)}: expected ${expected}`;
}

function parseEach(env: NodeJS.ProcessEnv): { values: ConfigValues; faults: ConfigFault[] } {
  const faults: ConfigFault[] = [];
  const values: Partial<Record<VariableName, unknown>> = {};
  for (const name of NAMES) {
    const variable = CONFIG_VARIABLES[name];
    const raw = env[name];
    values[name] = variable.fallback;
    if (raw === undefined || raw === '') continue;
    try {
      values[name] = variable.parse(raw);
    } catch (error) {
      if (!(error instanceof Unacceptable)) throw error;
      faults.push({ variable: name, value: variable.show(raw), expected: error.expected });
    }
  }
  // The loop has gone over all names, and each value came from the name's own descriptor.
  return { values: values as ConfigValues, faults };
}

/** The endpoints of both transports: clients ask for tokens for the one that they call. */
function audiencesOf({ AUTH_AUDIENCE, PUBLIC_URL }: ConfigValues): readonly string[] {
  if (AUTH_AUDIENCE !== undefined) return [AUTH_AUDIENCE];
  return PUBLIC_URL === undefined ? [] : [`${PUBLIC_URL}/mcp`, `${PUBLIC_URL}/sse`];
}

function assemble(values: ConfigValues): Config {
  const { PUBLIC_URL, ALLOWED_HOSTS, ALLOWED_ORIGINS } = values;
  const fleet = PUBLIC_URL === undefined ? undefined : new URL(PUBLIC_URL);
  const hosts = ALLOWED_HOSTS ?? [...new Set([...LOOPBACK_NAMES, ...(fleet ? [fleet.hostname] : [])])];
  const origins = ALLOWED_ORIGINS ?? [...LOOPBACK_NAMES, ...(fleet ? [fleet.origin] : [])];
  return {
    port: values.PORT,
    host: values.HOST,
    redis: redisTarget(values),
    keyPrefix: values.KEY_PREFIX,
    nodeId: values.NODE_ID ?? values.MACHINE_ID ?? nodeIdOfHost(values.HOSTNAME),
    mcpServer: values.MCP_SERVER,
    sessionTtlMs: values.SESSION_TTL_MS,
    sessionMaxAgeMs: values.SESSION_MAX_AGE_MS,
    streamTtlMs: values.STREAM_TTL_MS,
    streamUpgradeMs: values.STREAM_UPGRADE_MS,
    nodeLeaseMs: values.NODE_LEASE_MS,
    sseKeepaliveMs: values.SSE_KEEPALIVE_MS,
    drainDelayMs: values.DRAIN_DELAY_MS,
    drainTimeoutMs: values.DRAIN_TIMEOUT_MS,
    redisTimeoutMs: values.REDIS_TIMEOUT_MS,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxSessions: values.MAX_SESSIONS,
    allowedHosts: hosts === ANY ? undefined : hosts,
    allowedOrigins: origins === ANY ? undefined : origins,
    authTokens: values.AUTH_TOKENS ?? new Map(),
    authIssuer: values.AUTH_ISSUER,
    authJwksUri: values.AUTH_JWKS_URI,
    authAudiences: audiencesOf(values),
    authScopes: values.AUTH_SCOPES ?? [],
    authToolScopes: values.AUTH_TOOL_SCOPES ?? new Map(),
    authScopeImplies: values.AUTH_SCOPE_IMPLIES ?? new Map(),
    authAnonymous: values.AUTH_ANONYMOUS === 'true',
    publicUrl: PUBLIC_URL,
    stateSecrets: values.STATE_SECRETS ?? [],
    stateTtlMs: values.STATE_TTL_MS,
    maxListenStreams: values.MAX_LISTEN_STREAMS,
    maxListenStreamsPerUser: values.MAX_LISTEN_STREAMS_PER_USER,
    rateWindowMs: values.RATE_WINDOW_MS,
    ratePerUser: values.RATE_PER_USER,
    ratePerAddress: values.RATE_PER_ADDRESS,
    maxSessionsPerUser: values.MAX_SESSIONS_PER_USER,
    maxSessionsPerAddress: values.MAX_SESSIONS_PER_ADDRESS,
    maxStreamsPerUser: values.MAX_STREAMS_PER_USER,
    maxStreamsPerAddress: values.MAX_STREAMS_PER_ADDRESS,
    maxCallsPerSession: values.MAX_CALLS_PER_SESSION,
    maxStateBytes: values.MAX_STATE_BYTES,
    maxStateKeys: values.MAX_STATE_KEYS,
    maxBatchLength: values.MAX_BATCH_LENGTH,
    maxJsonDepth: values.MAX_JSON_DEPTH,
    maxJsonElements: values.MAX_JSON_ELEMENTS,
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
    trustedProxies: values.TRUSTED_PROXIES,
    opsPort: values.OPS_PORT,
    logLevel: values.LOG_LEVEL,
  };
}

function redisTarget(values: ConfigValues): RedisTarget | undefined {
  const { REDIS_URL: target, REDIS_SENTINEL_USERNAME: username, REDIS_SENTINEL_PASSWORD: password } = values;
  const { REDIS_TLS_CA_FILE: ca, REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: key } = values;
  const serverName = values.REDIS_TLS_SERVER_NAME;
  if (target === undefined) return undefined;
  const entered = withTls(target, {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { serverName }),
  });
  if (entered.kind !== 'sentinel' || password === undefined) return entered;
  return { ...entered, sentinelAccess: { ...(username !== undefined && { username }), password } };
}
