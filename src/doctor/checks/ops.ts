/** The routes of operators: `/health` should be in reach of balancers, `/metrics` should not be in reach of everybody. */
import { type Finding, ok, problem, warning } from '../finding.js';
import { NoAnswer } from '../http.js';
import type { Check, Visit } from '../visit.js';

export const ops: Check = {
  name: 'health',
  needsSession: false,
  run: async (visit) => [await health(visit), await metrics(visit)],
};

async function health({ mcp }: Visit): Promise<Finding> {
  const answer = await mcp.request(mcp.beside('health'));
  let report: { status?: string; checks?: unknown } = {};
  try {
    report = JSON.parse(answer.text);
  } catch {
    // Not one of ours; said below.
  }
  if (answer.status === 200 && report.status === 'healthy') return ok('health', '/health says healthy');
  if (report.status !== undefined) {
    return problem('health', `/health says ${report.status}: ${JSON.stringify(report.checks ?? {}).slice(0, 200)}`, {
      anynode: 'look at the log of that node, and at Redis',
      alb: 'health check path /readyz, so that no such node gets requests',
      ingress: 'readinessProbe on /readyz',
    });
  }
  return warning(
    'health',
    `/health does not come through (${answer.status}): spread, clocks and sharing cannot be judged`,
    {
      nginx: 'location = /health { proxy_pass ...; } while you look',
      alb: 'a listener rule for /health',
      ingress: 'a path /health while you look',
    },
  );
}

async function metrics({ mcp }: Visit): Promise<Finding> {
  const answer = await mcp.request(mcp.beside('metrics')).catch((error) => {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  });
  if (answer?.status === 200 && /^(# HELP|# TYPE|mcp_)/m.test(answer.text)) {
    return warning('metrics', '/metrics is open to whoever reaches this address', {
      nginx: 'location = /metrics { return 404; }',
      alb: 'listener rule: path /metrics, fixed-response 404',
      ingress: 'list the paths /mcp, /sse, /messages and no /',
      anynode: 'OPS_PORT=9090 moves it to a port of its own',
    });
  }
  return ok('metrics', `/metrics is not served here (${answer?.status ?? 'no answer'})`);
}
