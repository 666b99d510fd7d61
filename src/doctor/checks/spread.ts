/** How requests are spread over the nodes, whether the balancer makes clients stick, and what the nodes' clocks say. */
import http from 'node:http';
import https from 'node:https';
import { type Finding, ok, problem, skipped, warning } from '../finding.js';
import type { Answer } from '../http.js';
import type { Check, Visit } from '../visit.js';
import { type ClockReading, judgeClocks } from './clocks.js';

const CHECK = 'spread';
const REQUESTS = 12;
const UNSTICK = {
  nginx: 'remove ip_hash, hash and sticky from the upstream block',
  alb: 'target group: stickiness.enabled = false',
  ingress: 'remove nginx.ingress.kubernetes.io/affinity and upstream-hash-by; Service: sessionAffinity: None',
};

interface Reading extends ClockReading {
  readonly cookies: readonly string[];
}

export const spread: Check = {
  name: CHECK,
  needsSession: false,
  async run(visit) {
    const readings = await ask(visit, REQUESTS);
    if (readings.length === 0) return [skipped(CHECK, 'no /health of a node came through')];
    for (const { nodeId } of readings) visit.nodes.add(nodeId);
    const cookies = readings.flatMap((reading) => reading.cookies);
    const findings = [await judgeSpread(visit), ...(await judgeCookies(visit, cookies))];
    return [...findings, ...judgeClocks(readings)];
  },
};

async function ask(
  visit: Visit,
  count: number,
  more: { agent?: http.Agent; headers?: Record<string, string> } = {},
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (let i = 0; i < count; i += 1) {
    const answer = await visit.mcp.request(visit.mcp.beside('health'), more);
    const reading = readingOf(answer);
    if (reading) readings.push(reading);
  }
  return readings;
}

function readingOf({ text, headers, askedAt, answeredAt }: Answer): Reading | undefined {
  try {
    const { nodeId, timestamp } = JSON.parse(text) as { nodeId?: unknown; timestamp?: unknown };
    if (typeof nodeId !== 'string' || typeof timestamp !== 'string') return undefined;
    return { nodeId, at: Date.parse(timestamp), askedAt, answeredAt, cookies: headers['set-cookie'] ?? [] };
  } catch {
    return undefined;
  }
}

async function judgeSpread(visit: Visit): Promise<Finding> {
  const { nodes, expectedNodes: expected } = visit;
  const seen = nodes.size;
  if (seen > 1) {
    const connection = await nodesOfOneConnection(visit);
    const kept = connection === 1 ? '; one kept connection stays on one node' : '';
    const some = expected !== undefined && seen < expected ? ` of ${expected}` : '';
    return ok(CHECK, `${REQUESTS} requests on new connections reached ${seen}${some} nodes${kept}`);
  }
  if (expected === 1) return ok(CHECK, 'one node, as there should be');
  const what = `all ${REQUESTS} requests on new connections reached one node`;
  return expected === undefined
    ? warning(
        CHECK,
        `${what}: a fleet of one, or clients are bound to a node by their address (--nodes tells)`,
        UNSTICK,
      )
    : problem(CHECK, `${what} of ${expected}: clients are bound to a node by their address`, UNSTICK);
}

async function nodesOfOneConnection(visit: Visit): Promise<number> {
  const { Agent } = visit.mcp.url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    return new Set((await ask(visit, 6, { agent })).map(({ nodeId }) => nodeId)).size;
  } finally {
    agent.destroy();
  }
}

/** Nodes set no cookies: one that arrives is the balancer's. */
async function judgeCookies(visit: Visit, cookies: readonly string[]): Promise<Finding[]> {
  const [first] = cookies;
  if (first === undefined) return [ok('cookies', 'no cookie is set')];
  const name = first.split('=')[0] ?? '';
  const kept = await ask(visit, 6, { headers: { Cookie: first.split(';')[0] ?? '' } });
  const bound = new Set(kept.map(({ nodeId }) => nodeId)).size === 1 && visit.nodes.size > 1;
  const what = bound
    ? `the cookie ${name} binds a client to one node`
    : `the cookie ${name} is set by something in front of the nodes`;
  return [warning('cookies', what, UNSTICK)];
}
