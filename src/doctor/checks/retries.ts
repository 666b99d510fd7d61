/**
 * Whether a POST that failed on its way back is sent to another node: a call would run twice.
 *
 * The doctor cannot break a node, but it can make an answer that many proxies cannot pass: the nodes repeat an allowed
 * `Origin` in a header, so a long one makes the head of the answer longer than a proxy's buffer (nginx: 4 KiB), and the
 * proxy counts the node as failed. The call adds one to a count in the doctor's own session; the next call tells how
 * often it ran.
 *
 * What it cannot see: repetitions after time-outs or broken connections alone (they need a node that fails), and proxies
 * whose buffer holds the answer. And it needs a server whose effects can be counted: a bundled one.
 */
import { ok, problem, skipped } from '../finding.js';
import { NoAnswer } from '../http.js';
import { call, rpcOf } from '../mcp.js';
import { type Check, sessionOf } from '../visit.js';

const CHECK = 'retries';
/** More than the buffer of nginx, less than the longest header line that it takes. */
const LONG = 7 * 1024;
const COUNTING: Readonly<Record<string, { readonly name: string; readonly arguments: object }>> = {
  'anynode-demo': { name: 'note_add', arguments: { text: 'anynode doctor was here' } },
  'anynode-everything': { name: 'count', arguments: { key: 'doctor' } },
};
const BLIND = 'time-outs and broken connections cannot be provoked: check that setting by eye';

export const retries: Check = {
  name: CHECK,
  needsSession: true,
  async run(visit) {
    const session = sessionOf(visit);
    const tool = COUNTING[String(session.result?.serverInfo?.name)];
    if (!tool) return [skipped(CHECK, `not seen: only with a bundled server can repeated calls be counted`)];
    const origin = `http://localhost/${'x'.repeat(LONG)}`;
    const lost = await visit.mcp
      .post(call('tools/call', tool), { ...session.headers, Origin: origin })
      .catch((error: unknown) => {
        if (error instanceof NoAnswer) return { status: 0, text: '', headers: {} };
        throw error;
      });
    if (lost.status === 200) return [ok(CHECK, `no answer could be made to fail; ${BLIND}`)];
    if (lost.status < 500 && lost.status !== 0) {
      return [skipped(CHECK, `the probe was refused (${lost.status}); ${BLIND}`)];
    }
    const answer = await session.request('tools/call', tool);
    const count = Number(/\d+/.exec(String(rpcOf(answer)?.result?.content?.[0]?.text))?.[0]) - 1;
    const how = lost.status === 0 ? 'was cut' : `got ${lost.status}`;
    if (count > 1) {
      return [
        problem(CHECK, `a POST that ${how} had been sent to the nodes ${count} times: calls run more than once`, {
          nginx: 'proxy_next_upstream off; (never non_idempotent)',
          alb: 'does not repeat POST; look at what is behind or in front of it',
          ingress: 'nginx.ingress.kubernetes.io/proxy-next-upstream: "off", ConfigMap retry-non-idempotent: "false"',
        }),
      ];
    }
    if (count < 0 || Number.isNaN(count)) return [skipped(CHECK, 'the calls could not be counted')];
    return [ok(CHECK, `a POST whose answer was lost on the way back (${how}) ran ${count} time(s); ${BLIND}`)];
  },
};
