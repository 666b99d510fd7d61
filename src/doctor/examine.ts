/** One examination: all checks against one address, and nothing left behind where that is in our hands. */
import { FIRST, REST } from './checks.js';
import { type Finding, problem, skipped } from './finding.js';
import { NoAnswer } from './http.js';
import { McpProber } from './mcp.js';
import type { DoctorOptions } from './options.js';
import type { Check, Visit } from './visit.js';

export interface Examination {
  readonly findings: readonly Finding[];
  /** Sessions that could not be ended; they end by themselves after SESSION_TTL_MS. */
  readonly leftBehind: number;
}

/** Somebody had no patience; what was opened has been ended all the same. */
export class Interrupted extends Error {}

/** The address gave no answer at all: there is nothing to judge. */
export class Unreachable extends Error {}

/** @throws Unreachable, Interrupted */
export async function examine(
  options: DoctorOptions,
  inspectRedis: Visit['inspectRedis'],
  interrupted: Promise<void>,
): Promise<Examination> {
  const mcp = new McpProber(options);
  const visit: Visit = {
    options,
    mcp,
    inspectRedis,
    session: undefined,
    nodes: new Set(),
    expectedNodes: options.nodes,
    stop: false,
  };
  const findings: Finding[] = [];
  let leftBehind = 0;
  const impatience = interrupted.then((): never => {
    throw new Interrupted('interrupted');
  });
  try {
    await Promise.race([runAll(visit, findings), impatience]);
  } finally {
    leftBehind = await mcp.cleanUp();
  }
  return { findings, leftBehind };
}

async function runAll(visit: Visit, findings: Finding[]): Promise<void> {
  for (const check of FIRST) {
    if (!visit.stop) findings.push(...(await runCheck(check, visit)));
  }
  if (visit.stop) return;
  const watching = REST.filter(({ watches }) => watches).map((check) => runCheck(check, visit));
  const asking = REST.filter(({ watches, disturbs }) => !watches && !disturbs);
  for (const check of asking) findings.push(...(await runCheck(check, visit)));
  findings.push(...(await Promise.all(watching)).flat());
  for (const check of REST) if (check.disturbs) findings.push(...(await runCheck(check, visit)));
}

async function runCheck(check: Check, visit: Visit): Promise<readonly Finding[]> {
  if (check.needsSession && !visit.session) return [skipped(check.name, 'there is no session to look with')];
  try {
    return await check.run(visit);
  } catch (error) {
    // The first two are the first contact; later an answer that does not come is a finding like any other.
    if (error instanceof NoAnswer && (check.name === 'tls' || check.name === 'handshake')) {
      throw new Unreachable(error.message);
    }
    const why = error instanceof Error ? error.message : String(error);
    return [
      problem(check.name, `a request of this check was not answered: ${why}`, {
        nginx: 'look at its error log at this time',
        alb: 'look at its access log at this time',
        ingress: 'look at the log of the controller at this time',
      }),
    ];
  }
}
