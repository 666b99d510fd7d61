/** Counts and times requests by method. A method nobody defined is counted as `other`: labels cannot be invented. */

import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { isResponse, type JsonRpcMessage } from '../core/jsonrpc.js';
import { isClientMethod } from '../core/known-methods.js';
import type { Metrics } from '../core/metrics.js';
import { trailOf } from './request-trail.js';
import { whenOver } from './when-over.js';

/** Not of the protocol: what else comes in by POST, and the other HTTP methods. */
const KINDS = new Set(['answer', 'batch', 'GET', 'DELETE']);

/** From now until the response is over, whoever ends it. The line in the log gets to know the method as well. */
export function observeRequest(
  metrics: Metrics,
  res: ServerResponse,
  method: string,
  era: 'legacy' | 'modern' = 'legacy',
): void {
  const started = performance.now();
  const label = isClientMethod(method) || KINDS.has(method) ? method : 'other';
  trailOf(res.req).served(label, era);
  whenOver(res, () => {
    metrics.request(era, label, outcomeOf(res), (performance.now() - started) / 1000);
  });
}

export function methodOf(first: JsonRpcMessage, batch: boolean): string {
  if (batch) return 'batch';
  return isResponse(first) ? 'answer' : first.method;
}

function outcomeOf(res: ServerResponse): string {
  if (!res.writableFinished) return 'disconnected';
  if (res.statusCode < 400) return 'ok';
  return res.statusCode < 500 ? 'refused' : 'failed';
}
