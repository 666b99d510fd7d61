/** The configuration of one node, after parsing: every value checked, every default applied, frozen. */

import type { RedisTarget } from '../core/redis-target.js';

export type { RedisTarget };

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Unset: the embedded store. */
  readonly redis: RedisTarget | undefined;
  readonly keyPrefix: string;
  readonly nodeId: string;
  readonly mcpServer: string;
  readonly sessionTtlMs: number;
  readonly sessionMaxAgeMs: number;
  readonly streamTtlMs: number;
  readonly streamUpgradeMs: number;
  readonly nodeLeaseMs: number;
  readonly sseKeepaliveMs: number;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly redisTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly maxSessions: number;
  /** Undefined: the check is off (`*`). Lower case, without port unless one was given. */
  readonly allowedHosts: readonly string[] | undefined;
  /**
   * Undefined: the check is off (`*`). An entry with a scheme is one exact origin; one without is a host name, with any
   * scheme and port.
   */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Token to user; empty: nobody is authenticated. */
  readonly authTokens: ReadonlyMap<string, string>;
  /** Unset: no access tokens are accepted. */
  readonly authIssuer: string | undefined;
  /** Unset: found in the issuer's metadata. */
  readonly authJwksUri: string | undefined;
  /** Whom tokens must be for, one of these; not empty where there is an issuer. */
  readonly authAudiences: readonly string[];
  readonly authScopes: readonly string[];
  readonly authToolScopes: ReadonlyMap<string, readonly string[]>;
  readonly authScopeImplies: ReadonlyMap<string, readonly string[]>;
  /** Whether nobody need be authenticated even where the node listens beyond loopback. */
  readonly authAnonymous: boolean;
  readonly publicUrl: string | undefined;
  readonly stateSecrets: readonly Uint8Array[];
  readonly stateTtlMs: number;
  readonly maxListenStreams: number;
  readonly maxListenStreamsPerUser: number;
  readonly rateWindowMs: number;
  readonly ratePerUser: number;
  readonly ratePerAddress: number;
  readonly maxSessionsPerUser: number;
  readonly maxSessionsPerAddress: number;
  readonly maxStreamsPerUser: number;
  readonly maxStreamsPerAddress: number;
  readonly maxCallsPerSession: number;
  readonly maxStateBytes: number;
  readonly maxStateKeys: number;
  readonly maxBatchLength: number;
  readonly maxJsonDepth: number;
  readonly maxJsonElements: number;
  readonly requestTimeoutMs: number;
  /** Undefined: `X-Forwarded-For` is not looked at. A number: hops. Else addresses and ranges. */
  readonly trustedProxies: number | readonly string[] | undefined;
  readonly opsPort: number | undefined;
  readonly logLevel: LogLevel;
}
