/**
 * What several variables say together: faults where it is nonsense, warnings where it is unwise.
 *
 * Not here: taste. A short life time, a small limit or an odd order of magnitude is somebody's test or somebody's need.
 */
import { ANY, isLoopback } from './addresses.js';
import { isNodeId, NODE_ID_FORM } from './node-id.js';
import { belongTogether } from './redis-tls.js';
import { LONG_ENOUGH_TOKEN } from './secrets.js';
import { showPlain } from './variable.js';
import type { ConfigValues, VariableName } from './variables.js';

/** Variables that mean nothing without an issuer. */
const ISSUERS_OWN = [
  'AUTH_JWKS_URI',
  'AUTH_AUDIENCE',
  'AUTH_SCOPES',
  'AUTH_TOOL_SCOPES',
  'AUTH_SCOPE_IMPLIES',
] as const;

export interface ConfigFault {
  readonly variable: string;
  /** As it may be shown: secrets are hidden. */
  readonly value: string;
  readonly expected: string;
}

/** `refused`: variables with a fault of their own, whose values here are defaults that nobody chose. */
export function crossFaults(values: ConfigValues, refused: ReadonlySet<VariableName>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const { PORT, OPS_PORT, NODE_ID, MACHINE_ID } = values;
  if (OPS_PORT === PORT && PORT !== 0 && !refused.has('PORT')) {
    faults.push({ variable: 'OPS_PORT', value: String(OPS_PORT), expected: 'another port than PORT' });
  }
  if (NODE_ID === undefined && !refused.has('NODE_ID') && MACHINE_ID !== undefined && !isNodeId(MACHINE_ID)) {
    faults.push({
      variable: 'MACHINE_ID',
      value: showPlain(MACHINE_ID),
      expected: `${NODE_ID_FORM} (or NODE_ID instead)`,
    });
  }
  return [...faults, ...authenticationFaults(values, refused), ...redisFaults(values, refused)];
}

/** What is set and would not be looked at must not make anybody feel safe. */
function authenticationFaults(values: ConfigValues, refused: ReadonlySet<VariableName>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const { HOST, PUBLIC_URL, AUTH_TOKENS, AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ANONYMOUS } = values;
  const authorizes = AUTH_ISSUER !== undefined || refused.has('AUTH_ISSUER');
  const authenticates = authorizes || AUTH_TOKENS !== undefined || refused.has('AUTH_TOKENS');
  for (const name of ISSUERS_OWN) {
    if (!authorizes && values[name] !== undefined) {
      faults.push({ variable: name, value: '(set)', expected: 'AUTH_ISSUER to be set as well' });
    }
  }
  if (authorizes && PUBLIC_URL === undefined && !refused.has('PUBLIC_URL') && !refused.has('AUTH_AUDIENCE')) {
    // Clients are told where the resource is, and tokens are made for that address.
    if (AUTH_AUDIENCE === undefined || !/^https?:/.test(AUTH_AUDIENCE) || !URL.canParse(AUTH_AUDIENCE)) {
      const expected = "the endpoint's URL as clients see it, or PUBLIC_URL to be set";
      faults.push({ variable: 'AUTH_AUDIENCE', value: AUTH_AUDIENCE ?? '', expected });
    }
  }
  if (!authenticates && !isLoopback(HOST) && AUTH_ANONYMOUS === 'false' && !refused.has('AUTH_ANONYMOUS')) {
    const expected =
      'a loopback address while nobody is authenticated; or set AUTH_TOKENS, AUTH_ISSUER or AUTH_ANONYMOUS=true';
    faults.push({ variable: 'HOST', value: HOST, expected });
  }
  return faults;
}

/** What goes with the address of Redis would be ignored beside another form of it, and somebody relies on it. */
function redisFaults(values: ConfigValues, refused: ReadonlySet<VariableName>): ConfigFault[] {
  const { REDIS_URL, REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: key } = values;
  const faults: ConfigFault[] = [];
  const fault = (variable: VariableName, expected: string): void => {
    faults.push({ variable, value: '(set)', expected });
  };
  if (!refused.has('REDIS_URL')) {
    const tls = Object.keys(values).filter((name) => name.startsWith('REDIS_TLS_')) as VariableName[];
    for (const name of REDIS_URL?.tls ? [] : tls) {
      if (values[name] !== undefined) fault(name, 'no value, or a REDIS_URL with TLS (`rediss://` and its kind)');
    }
    for (const name of ['REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD'] as const) {
      if (values[name] !== undefined && REDIS_URL?.kind !== 'sentinel') {
        fault(name, 'no value, or a REDIS_URL that names Sentinels (`redis+sentinel://`)');
      }
    }
  }
  if (refused.has('REDIS_TLS_CERT_FILE') || refused.has('REDIS_TLS_KEY_FILE')) return faults;
  if (cert !== undefined && key === undefined) fault('REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE beside it');
  if (cert === undefined && key !== undefined) fault('REDIS_TLS_KEY_FILE', 'REDIS_TLS_CERT_FILE beside it');
  if (cert !== undefined && key !== undefined && !belongTogether(cert, key)) {
    fault('REDIS_TLS_KEY_FILE', 'the key of the first certificate in REDIS_TLS_CERT_FILE');
  }
  const { REDIS_SENTINEL_USERNAME: user, REDIS_SENTINEL_PASSWORD: password } = values;
  if (user !== undefined && password === undefined && !refused.has('REDIS_SENTINEL_PASSWORD')) {
    fault('REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD beside it');
  }
  return faults;
}

export function crossWarnings(values: ConfigValues): string[] {
  const warnings: string[] = [];
  const { HOST, PUBLIC_URL, ALLOWED_HOSTS, ALLOWED_ORIGINS, AUTH_TOKENS, AUTH_ISSUER } = values;
  const { REDIS_TIMEOUT_MS, NODE_LEASE_MS } = values;
  if (ALLOWED_HOSTS === ANY) warnings.push('ALLOWED_HOSTS=*: the Host header is not checked (DNS rebinding)');
  if (ALLOWED_ORIGINS === ANY) warnings.push('ALLOWED_ORIGINS=*: pages of any web site may call this node');
  if (!isLoopback(HOST)) {
    if (AUTH_TOKENS === undefined && AUTH_ISSUER === undefined) {
      warnings.push(`HOST=${HOST}, AUTH_ANONYMOUS=true: whoever reaches this node may use it`);
    }
    if (ALLOWED_HOSTS === undefined && PUBLIC_URL === undefined) {
      warnings.push(`HOST=${HOST}: requests for other names than localhost get 403; set PUBLIC_URL or ALLOWED_HOSTS`);
    }
  }
  const short = [...(AUTH_TOKENS?.keys() ?? [])].filter((token) => token.length < LONG_ENOUGH_TOKEN).length;
  if (short > 0) warnings.push(`AUTH_TOKENS has tokens of fewer than ${LONG_ENOUGH_TOKEN} characters: ${short}`);
  if (REDIS_TIMEOUT_MS >= NODE_LEASE_MS) {
    warnings.push('REDIS_TIMEOUT_MS is not below NODE_LEASE_MS: one slow command can cost a living node its lease');
  }
  const { TRUSTED_PROXIES, RATE_PER_ADDRESS, MAX_SESSIONS_PER_ADDRESS, MAX_STREAMS_PER_ADDRESS } = values;
  if (TRUSTED_PROXIES === undefined && !isLoopback(HOST)) {
    const perAddress = { RATE_PER_ADDRESS, MAX_SESSIONS_PER_ADDRESS, MAX_STREAMS_PER_ADDRESS };
    for (const [name, limit] of Object.entries(perAddress)) {
      if (limit > 0) warnings.push(`${name} without TRUSTED_PROXIES: behind a balancer all clients count as one`);
    }
  }
  return warnings;
}
