/**
 * The routes as an express router: mounted by the node itself, or into an application that exists already.
 * The only folder that knows express.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import type { JsonRpcId } from '../core/jsonrpc.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import { faultOf, faults } from './faults.js';
import type { Gates } from './gates.js';
import type { RequestLimits } from './limits.js';
import { Refused, type Route } from './mcp-route.js';
import type { OpsRoute } from './ops-routes.js';
import { type HttpFault, sendFault } from './reply.js';

/** What an express application can `use`. */
export type Middleware = RequestHandler;

export interface RouterOptions {
  readonly gates: Gates;
  readonly routes: Readonly<Record<string, Route>>;
  readonly ops: Readonly<Record<string, OpsRoute>>;
  readonly limits: RequestLimits;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface Routing {
  readonly router: Router;
  /** The same handlers by exact path, for a listener that need not ask express for the way to its busiest route. */
  readonly direct: ReadonlyMap<string, (req: IncomingMessage, res: ServerResponse) => void>;
}

export function createRouter({ gates, routes, ops, limits, metrics, logger }: RouterOptions): Routing {
  const router = express.Router({ caseSensitive: true, strict: false });
  const refuse = (res: ServerResponse, id: JsonRpcId | null, fault: HttpFault): void => {
    if (fault.reason) metrics.refused(fault.reason);
    sendFault(res, id, fault);
  };
  /** Probes and metrics have no limits: who watches must see most when there is too much. */
  const limited =
    (route: Route): Route =>
    async (req, res, identity) => {
      const verdict = limits.admit(req, identity);
      const fault = verdict instanceof Promise ? await verdict : verdict;
      if (fault) refuse(res, null, fault);
      else await route(req, res, identity);
    };
  const guarded =
    (route: Route, options?: { skipHost: boolean }) =>
    async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      try {
        const passed = gates(req, res, options);
        if (passed.outcome === 'answered') return;
        if (passed.outcome === 'refused') sendFault(res, null, passed.fault);
        else await route(req, res, passed);
      } catch (error) {
        const refused = error instanceof Refused ? error : undefined;
        const fault = refused?.fault ?? faultOf(error) ?? faults.internal();
        if (fault.status === 500) logger.error({ error: refused?.cause ?? error }, 'request failed');
        refuse(res, refused?.id ?? null, fault);
      }
    };
  const direct = new Map(Object.entries(routes).map(([path, route]) => [path, guarded(limited(route))]));
  for (const [path, handler] of direct) router.all(path, handler);
  for (const [path, route] of Object.entries(ops)) {
    router.all(
      path,
      guarded((req, res) => route(req, res), { skipHost: true }),
    );
  }
  return { router, direct };
}

/** An application of our own: the router, and JSON instead of pages for everything else. */
export function createApplication(router: Router, gates: Gates, logger: Logger): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(router);
  app.use((req, res) => {
    const passed = gates(req, res);
    if (passed.outcome === 'refused') sendFault(res, null, passed.fault);
    else if (passed.outcome === 'passed') sendFault(res, null, faults.routeNotFound());
  });
  // Express calls this for what it cannot parse itself, such as a path with a broken percent encoding.
  const onError: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
    if (error.status !== 400) logger.error({ error }, 'request failed');
    sendFault(res, null, error.status === 400 ? faults.notJsonRpc('the request line is malformed') : faults.internal());
  };
  app.use(onError);
  return app;
}
