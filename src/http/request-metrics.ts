/** Counts and times requests by method. A method nobody defined is counted as `other`: labels cannot be invented. */

import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { isResponse, type JsonRpcMessage } from '../core/jsonrpc.js';
import type { Metrics } from '../core/metrics.js';

const METHODS = new Set([
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'server/discover',
  'subscriptions/listen',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  // Not of the protocol: what else comes in by POST, and the other HTTP methods.
  'answer',
  'batch',
  'GET',
  'DELETE',
]);

/** From now until the response is over, whoever ends it. */
export function observeRequest(
  metrics: Metrics,
  res: ServerResponse,
  method: string,
  era: 'legacy' | 'modern' = 'legacy',
): void {
  const started = performance.now();
  res.once('close', () => {
    const label = METHODS.has(method) ? method : 'other';
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
