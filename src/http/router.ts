/**
 * The routes as an express router: mounted by the node itself, or into an application that exists already.
 * The only folder that knows express.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import type { Audit } from '../core/audit.js';
import type { JsonRpcId } from '../core/jsonrpc.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import { createAccessLog } from './access-log.js';
import { faultOf, faults } from './faults.js';
import type { GateExceptions, Gates } from './gates.js';
import type { RequestLimits } from './limits.js';
import type { Route } from './mcp-route.js';
import type { OpsRoute } from './ops-routes.js';
import { Refused } from './refused.js';
import { type HttpFault, sendFault } from './reply.js';
import { trailOf } from './request-trail.js';
import type { OpenRoute } from './well-known.js';

/** What an express application can `use`. */
export type Middleware = RequestHandler;

export interface RouterOptions {
  readonly gates: Gates;
  readonly routes: Readonly<Record<string, Route>>;
  readonly ops: Readonly<Record<string, OpsRoute>>;
  /** Asked without a token. */
  readonly open: Readonly<Record<string, OpenRoute>>;
  readonly limits: RequestLimits;
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface Routing {
  readonly router: Router;
  /** The same handlers by exact path, for a listener that need not ask express for the way to its busiest route. */
  readonly direct: ReadonlyMap<string, (req: IncomingMessage, res: ServerResponse) => void>;
}

export function createRouter(options: RouterOptions): Routing {
  const { gates, routes, ops, open, limits, audit, metrics, logger } = options;
  const router = express.Router({ caseSensitive: true, strict: false });
  const refuse = refusing(audit, metrics);
  const access = createAccessLog(logger);
  const guarded =
    (route: Route, { counted = false, ...exceptions }: GateExceptions & { readonly counted?: boolean } = {}) =>
    async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      access(req, res);
      // One function from the gates to the route, and no promise where nothing has to be waited for: each layer of
      // them costs as much as what it does.
      try {
        const judged = gates(req, res, exceptions);
        const passed = 'outcome' in judged ? judged : await judged;
        if (passed.outcome === 'answered') return;
        if (passed.outcome === 'refused') {
          refuse(req, res, null, passed.fault);
          return;
        }
        if (counted) {
          const verdict = limits.admit(req, passed.identity);
          const fault = verdict instanceof Promise ? await verdict : verdict;
          if (fault) {
            refuse(req, res, null, fault);
            return;
          }
        }
        await route(req, res, passed.identity);
      } catch (error) {
        const refused = error instanceof Refused ? error : undefined;
        const fault = refused?.fault ?? faultOf(error) ?? faults.internal();
        if (fault.status === 500) {
          logger.error({ error: refused?.cause ?? error, ...trailOf(req).ids() }, 'request failed');
        }
        refuse(req, res, refused?.id ?? null, fault);
      }
    };
  // Probes and metrics are not counted: who watches must see most when there is too much.
  const direct = new Map(Object.entries(routes).map(([path, route]) => [path, guarded(route, { counted: true })]));
  for (const [path, handler] of direct) router.all(path, handler);
  for (const [path, route] of Object.entries(ops)) {
    router.all(
      path,
      guarded((req, res) => route(req, res), { skipHost: true }),
    );
  }
  for (const [path, route] of Object.entries(open)) {
    router.all(
      path,
      guarded((req, res) => route(req, res), { skipAuthentication: true }),
    );
  }
  return { router, direct };
}

/** Answers, and notes down who was kept out. */
function refusing(audit: Audit, metrics: Metrics) {
  return (req: IncomingMessage, res: ServerResponse, id: JsonRpcId | null, fault: HttpFault): void => {
    const { status, reason: limit, refusal = limit } = fault;
    if (limit) metrics.refused(limit);
    const { remoteAddress: address } = req.socket;
    if (refusal !== undefined) audit.refused({ reason: refusal, status, method: req.method ?? '', address });
    sendFault(res, id, fault);
  };
}

type ApplicationOptions = Pick<RouterOptions, 'gates' | 'audit' | 'metrics' | 'logger'>;

/** An application of our own: the router, and JSON instead of pages for everything else. */
export function createApplication(
  router: Router,
  { gates, audit, metrics, logger }: ApplicationOptions,
): express.Express {
  const refuse = refusing(audit, metrics);
  const app = express();
  const access = createAccessLog(logger);
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(router);
  app.use(async (req, res) => {
    access(req, res);
    const passed = await gates(req, res);
    if (passed.outcome === 'refused') refuse(req, res, null, passed.fault);
    else if (passed.outcome === 'passed') sendFault(res, null, faults.routeNotFound());
  });
  // Express calls this for what it cannot parse itself, such as a path with a broken percent encoding.
  const onError: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
    const fault = error.status === 400 ? faults.notJsonRpc('the request line is malformed') : faultOf(error);
    if (!fault) logger.error({ error }, 'request failed');
    sendFault(res, null, fault ?? faults.internal());
  };
  app.use(onError);
  return app;
}
