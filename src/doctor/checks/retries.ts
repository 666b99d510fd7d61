/**
 * Whether a POST that failed on its way back is sent to another node: a call would run twice.
 *
 * The doctor cannot break a node, but it can make an answer that many proxies cannot pass: the nodes repeat an allowed
 * `Origin` in a header, so a long one makes the head of the answer longer than a proxy's buffer (nginx: 4 KiB), and the
 * proxy counts the node as failed. The call adds one to a count in the doctor's own session; the next call tells how
 * often it ran.
 *
 * Only on demand: whatever makes a proxy repeat also makes it believe that a node has failed, and with passive health
 * checks (nginx: `max_fails`, 1 by default) it leaves that node out for a while; one that repeats leaves all of them out.
 * A probe that is safe on production was looked for and not found: refusals (403, 404) do no harm, but do nothing that
 * could be counted either.
 *
 * What it cannot see: repetitions after time-outs or broken connections alone (they need a node that fails), and proxies
 * whose buffer holds the answer. And it needs a server whose effects can be counted: a bundled one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Advice, type Finding, ok, problem, skipped } from '../finding.js';
import { type Answer, NoAnswer } from '../http.js';
import { rpcOf, type Session } from '../mcp.js';
import { type Check, sessionOf } from '../visit.js';

const CHECK = 'retries';
/** More than the buffer of nginx, less than the longest header line that it takes. */
const LONG = 7 * 1024;
/** nginx leaves failed nodes out for ten seconds by default. */
const RECOVERY_MS = 15_000;
const COUNTING: Readonly<Record<string, { readonly name: string; readonly arguments: object }>> = {
  'anynode-demo': { name: 'note_add', arguments: { text: 'anynode doctor was here' } },
  'anynode-everything': { name: 'count', arguments: { key: 'doctor' } },
};
const NEVER: Advice = {
  nginx: 'proxy_next_upstream off; (or `error timeout`, and never non_idempotent)',
  alb: 'nothing to set: it does not repeat a POST that it has sent',
  ingress: 'nginx.ingress.kubernetes.io/proxy-next-upstream: "off"; ConfigMap: retry-non-idempotent: "false"',
};
const BLIND = 'repetitions after time-outs and broken connections alone cannot be provoked';

export const retries: Check = {
  name: CHECK,
  needsSession: true,
  disturbs: true,
  async run(visit) {
    if (!visit.options.provoke) {
      return [
        skipped(CHECK, 'not provoked (see --provoke): whether a POST is repeated is for the eye to check', NEVER),
      ];
    }
    const session = sessionOf(visit);
    const tool = COUNTING[String(session.result?.serverInfo?.name)];
    if (!tool) return [skipped(CHECK, 'only with a bundled server can repeated calls be counted', NEVER)];
    const origin = `http://localhost/${'x'.repeat(LONG)}`;
    const lost = await session.request('tools/call', tool, { Origin: origin }).catch(statusOfNothing);
    if (lost.status === 200) return [ok(CHECK, `no answer could be made to fail; ${BLIND}`)];
    if (lost.status < 500 && lost.status !== 0) {
      return [skipped(CHECK, `the probe was refused (${lost.status}); ${BLIND}`, NEVER)];
    }
    return [judge(lost.status, (await countOnceMore(session, tool)) - 1)];
  },
};

function judge(status: number, count: number): Finding {
  const how = status === 0 ? 'was cut' : `got ${status}`;
  if (count > 1) {
    return problem(CHECK, `a POST that ${how} had been sent to ${count} nodes: calls run more than once`, NEVER);
  }
  if (!(count >= 0)) return skipped(CHECK, 'the calls could not be counted', NEVER);
  return ok(CHECK, `a POST whose answer was lost on the way back (${how}) had run ${count} time(s); ${BLIND}`);
}

/** NaN: no answer. A proxy that believes all nodes to have failed answers by itself, and nothing runs. */
async function countOnceMore(session: Session, tool: object): Promise<number> {
  const end = Date.now() + RECOVERY_MS;
  for (;;) {
    const answer = await session.request('tools/call', tool).catch(statusOfNothing);
    const text: unknown = rpcOf(answer)?.result?.content?.[0]?.text;
    if (answer.status < 500 || Date.now() > end) return Number(/\d+/.exec(String(text))?.[0]);
    await pause(500);
  }
}

function statusOfNothing(error: unknown): Pick<Answer, 'status' | 'text' | 'headers'> {
  if (error instanceof NoAnswer) return { status: 0, text: '', headers: {} };
  throw error;
}
