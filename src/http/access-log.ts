/**
 * A line for each request, when it is over: at `debug`, and at `info` where the node failed a request of MCP (5xx). Not
 * for 503: that the store is away, or that the node leaves, is said once and not by every request that it concerns. Where a line is not written, nothing of it is made.
 *
 * Never in it: arguments, tokens, header values other than the request's id, session ids (their hash stands for them).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { isLevelEnabled, type Logger } from '../core/logger.js';
import { givenId, type HttpTrail, trailOf } from './request-trail.js';
import { whenOver } from './when-over.js';

export type AccessLog = (req: IncomingMessage, res: ServerResponse) => void;

/** What is logged of a path: those of the node, and no text that a client makes up. */
const ROUTES = new Set(['/mcp', '/sse', '/messages']);
const UNAVAILABLE = 503;
const PROBES = new Set(['/health', '/livez', '/readyz', '/metrics']);

export function createAccessLog(logger: Logger): AccessLog {
  const every = isLevelEnabled(logger, 'debug');
  const failures = isLevelEnabled(logger, 'info');
  const finish = (req: IncomingMessage, res: ServerResponse, started: number): void => {
    const failed = res.statusCode >= 500 && res.statusCode !== UNAVAILABLE && !PROBES.has(pathOf(req));
    if (!failed && !every) return;
    const fields = lineOf(req, res, performance.now() - started);
    if (failed) logger.info(fields, 'request');
    else logger.debug(fields, 'request');
  };
  return (req, res) => {
    const given = givenId(req);
    if (every || given !== undefined) res.setHeader('X-Request-Id', given ?? trailOf(req).requestId);
    if (!failures && !every) return;
    const started = performance.now();
    whenOver(res, () => finish(req, res, started));
  };
}

function lineOf(req: IncomingMessage, res: ServerResponse, durationMs: number): Record<string, unknown> {
  const trail: HttpTrail = trailOf(req);
  const { method, era } = trail;
  const path = pathOf(req);
  return {
    ...trail.ids(),
    http: req.method,
    route: ROUTES.has(path) || PROBES.has(path) ? path : 'other',
    ...(method !== undefined && { method }),
    ...(era !== undefined && { era }),
    status: res.statusCode,
    ...(!res.writableFinished && { disconnected: true }),
    durationMs: Math.round(durationMs * 1000) / 1000,
  };
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string;
}
