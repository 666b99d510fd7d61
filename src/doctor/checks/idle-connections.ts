/**
 * Connections that are used again after a pause. A proxy that keeps its connections to a node for longer than the node does
 * sends into one that was just closed; clients see 502 or a reset on the first request after a pause.
 *
 * Each pause has a connection of its own, all at the same time. What it cannot see: pauses longer than the watch; a node
 * keeps idle connections for 75 s.
 */
import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { ok, problem, skipped } from '../finding.js';
import { NoAnswer } from '../http.js';
import { type Check, sessionOf, type Visit } from '../visit.js';

const CHECK = 'idle-connections';
/** Around the usual time-outs: 5 s (Node), 15 s, 60 s (balancers), 75 s (nginx, anynode). */
const PAUSES_S = [0.5, 2, 5.1, 15.1, 30, 60.1, 75.1, 90];

export const idleConnections: Check = {
  name: CHECK,
  needsSession: true,
  watches: true,
  async run(visit) {
    const pauses = PAUSES_S.map((s) => s * 1000).filter((ms) => ms <= visit.options.watchMs);
    if (pauses.length === 0) return [skipped(CHECK, 'the watch is too short')];
    const results = await Promise.all(pauses.map((ms) => tryAfter(visit, ms)));
    const failed = results.find(({ fault }) => fault !== undefined);
    if (failed) {
      const seen = `a request after a pause of ${failed.ms / 1000} s got ${failed.fault}: a connection had been closed`;
      return [
        problem(CHECK, seen, {
          nginx: 'keepalive_timeout 60s; in the upstream block (shorter than the 75 s of the nodes)',
          alb: 'idle_timeout.timeout_seconds below 75',
          ingress: 'ConfigMap: upstream-keepalive-timeout: "60"',
        }),
      ];
    }
    const longest = (pauses.at(-1) ?? 0) / 1000;
    const beyond = longest < 75 ? '; longer pauses are not judged (the nodes keep 75 s)' : '';
    return [ok(CHECK, `requests after pauses of up to ${longest} s were answered${beyond}`)];
  },
};

async function tryAfter(visit: Visit, ms: number): Promise<{ ms: number; fault: string | undefined }> {
  const { Agent } = visit.mcp.url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const session = sessionOf(visit);
  try {
    await session.request('ping', {}, {}, { agent });
    await pause(ms);
    // Where the proxy has closed the client's connection in good time, the agent opens another one: that is no fault.
    const { status } = await session.request('ping', {}, {}, { agent });
    return { ms, fault: status >= 500 ? String(status) : undefined };
  } catch (error) {
    if (error instanceof NoAnswer) return { ms, fault: error.code };
    throw error;
  } finally {
    agent.destroy();
  }
}
