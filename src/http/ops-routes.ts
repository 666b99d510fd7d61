/**
 * What balancers, orchestrators and scrapers ask.
 *
 * `/health` and `/readyz` say whether to send traffic here; `/livez` says whether to leave the process alone, and never
 * asks the store: a node must not be killed because Redis is away.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { faults } from './faults.js';
import { Refused } from './refused.js';
import { SAFE_HEADERS, sendJson } from './reply.js';

export interface HealthReport {
  readonly status: 'healthy' | 'draining' | 'unhealthy';
  readonly nodeId: string;
  /** Live sessions of the fleet; null while the store does not say. */
  readonly activeSessions: number | null;
  readonly timestamp: string;
  readonly [more: string]: unknown;
}

export interface OpsOptions {
  readonly health: () => Promise<HealthReport>;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export type OpsRoute = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export function createOpsRoutes({ health, metrics }: OpsOptions): Readonly<Record<string, OpsRoute>> {
  const readiness: OpsRoute = async (_req, res) => {
    const report = await health();
    const ready = report.status === 'healthy';
    sendJson(res, ready ? 200 : 503, report, ready ? {} : { 'Retry-After': '1' });
  };
  const routes: Record<string, OpsRoute> = {
    '/health': readiness,
    '/readyz': readiness,
    '/livez': async (_req, res) => sendJson(res, 200, { status: 'alive' }),
    '/metrics': async (_req, res) => {
      const { contentType, text } = await metrics();
      res.writeHead(200, { ...SAFE_HEADERS, 'Content-Type': contentType, 'Cache-Control': 'no-store' });
      res.end(text);
    },
  };
  for (const [path, route] of Object.entries(routes)) {
    routes[path] = (req, res) => {
      if (req.method !== 'GET' && req.method !== 'HEAD') throw new Refused(faults.methodNotAllowed('GET, HEAD'));
      return route(req, res);
    };
  }
  return routes;
}
