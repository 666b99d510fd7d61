/** The HTTP side of a node, as configured: gates, routes, and the applications of its two ports. */
import { createAuthenticator } from '../auth/index.js';
import type { Audit } from '../core/audit.js';
import type { HeldPlaces } from '../core/limits/held-places.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { Store } from '../core/ports/store.js';
import type { TokenExpiry } from '../core/token-expiry.js';
import { Authorization } from '../http/authorization.js';
import { createChallenges, type ProtectedResource } from '../http/challenge.js';
import { createGates } from '../http/gates.js';
import { createMcpRoute } from '../http/mcp-route.js';
import { createOpsRoutes, type OpsOptions } from '../http/ops-routes.js';
import { createApplication, createRouter, type Middleware, type Routing } from '../http/router.js';
import { createSseRoutes } from '../http/sse-route.js';
import { createWellKnownRoutes } from '../http/well-known.js';
import type { LegacyEra } from '../mcp/legacy-era.js';
import type { ModernEra } from '../mcp/modern-era.js';
import type { ToolScopes } from '../mcp/tool-scopes.js';
import type { Config } from './config-types.js';
import { assembleLimits } from './limits.js';

export interface FrontOptions extends OpsOptions {
  readonly config: Config;
  readonly era: LegacyEra;
  readonly modern: ModernEra;
  readonly toolScopes: ToolScopes;
  readonly tokenExpiry: TokenExpiry;
  readonly audit: Audit;
  readonly store: Store;
  readonly places: HeldPlaces;
  readonly counters: Metrics;
  readonly logger: Logger;
}

export interface Front {
  readonly router: Middleware;
  readonly direct: Routing['direct'];
  readonly application: ReturnType<typeof createApplication>;
  readonly opsApplication: ReturnType<typeof createApplication>;
  /** Whether anybody has to show a token. */
  readonly authenticates: boolean;
}

export function createFront(options: FrontOptions): Front {
  const { config, era, modern, toolScopes, tokenExpiry, audit, counters, logger } = options;
  const resource = resourceOf(config);
  const challenges = createChallenges(resource);
  const authenticator = createAuthenticator(config, logger);
  const { allowedHosts, allowedOrigins, authScopes: scopes } = config;
  const gates = createGates({ allowedHosts, allowedOrigins, authenticator, scopes, challenges });

  const { sseKeepaliveMs: keepAliveMs, maxSessions } = config;
  const body = {
    maxBytes: config.maxBodyBytes,
    maxDepth: config.maxJsonDepth,
    maxElements: config.maxJsonElements,
    maxBatch: config.maxBatchLength,
  };
  const limits = assembleLimits(config, options.store, options.places, logger);
  const authorization = new Authorization({ scopes, toolScopes, challenges });
  const route = { era, modern, body, limits, maxSessions, keepAliveMs, authorization, tokenExpiry, audit };
  const { sse, messages } = createSseRoutes(route);
  const routes = { '/mcp': createMcpRoute(route), '/sse': sse, '/messages': messages };

  const ops = createOpsRoutes(options);
  const { '/metrics': _metrics, ...probes } = ops;
  const open = createWellKnownRoutes(resource);
  const own = config.opsPort === undefined ? ops : probes;
  const shared = { limits, audit, metrics: counters, logger };
  const { router, direct } = createRouter({ ...shared, gates, routes, ops: own, open });
  // Whoever reaches the port of the operators is let in by the network, not by a token.
  const opsGates = createGates({ allowedHosts, allowedOrigins, authenticator: undefined, scopes: [], challenges });
  const opsRouter = createRouter({ ...shared, gates: opsGates, routes: {}, ops, open: {} }).router;
  return {
    router,
    direct,
    application: createApplication(router, { ...shared, gates }),
    opsApplication: createApplication(opsRouter, { ...shared, gates: opsGates }),
    authenticates: authenticator !== undefined,
  };
}

/** The fleet as clients see it, and as tokens name it; made of configuration alone. */
function resourceOf(config: Config): ProtectedResource | undefined {
  const { authIssuer: issuer, authAudiences, authScopes: scopes, authToolScopes, publicUrl } = config;
  if (issuer === undefined) return undefined;
  const resource = publicUrl === undefined ? authAudiences[0] : `${publicUrl}/mcp`;
  if (resource === undefined) throw new TypeError('authIssuer needs publicUrl, or authAudience being that URL');
  // Without an endpoint of its own in the address, the older transport has none to tell apart.
  const sseResource = resource.replace(/\/mcp$/, '/sse');
  const scopesSupported = [...new Set([...scopes, ...[...authToolScopes.values()].flat()])];
  return { resource, sseResource, issuer, scopes, scopesSupported };
}
