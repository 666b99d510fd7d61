/**
 * Whether events arrive one by one: from streams whose events have a known time.
 *
 * Any fleet whose server speaks 2026-07-28 has one: a subscription is acknowledged at once and stays open. With a bundled
 * server there is a better one: a call that reports progress by the clock. Keep-alive comments of the main stream are
 * judged where it is watched (idle.ts).
 */
import { type Advice, type Finding, ok, problem, seconds, skipped, warning } from '../finding.js';
import type { Head } from '../http.js';
import { type Check, sessionOf, type Visit } from '../visit.js';

const CHECK = 'buffering';
/** Longer than any network takes, shorter than a buffer takes to fill. */
const PROMPT_MS = 2000;
const STEPS = 6;
const WORK_MS = 1800;

export const UNBUFFERED: Advice = {
  nginx: 'proxy_buffering off; and no `proxy_ignore_headers X-Accel-Buffering;`',
  alb: 'does not buffer; look at CloudFront, WAF or a side-car in front of the nodes',
  ingress: 'nginx.ingress.kubernetes.io/proxy-buffering: "off"',
};

export const eventStreams: Check = {
  name: CHECK,
  needsSession: true,
  async run(visit) {
    return [...(await acknowledged(visit)), ...(await progress(visit))];
  },
};

async function acknowledged({ mcp }: Visit): Promise<Finding[]> {
  const stream = mcp.listen({ toolsListChanged: true });
  try {
    const first = await Promise.race([
      stream.waitFor(({ kind }) => kind === 'event', Math.max(PROMPT_MS, mcp.timeoutMs)),
      stream.head.then((head) => (head && head.status !== 200 ? 'refused' : new Promise<never>(() => {}))),
    ]);
    if (first === 'refused') return [skipped(CHECK, 'subscriptions: the server does not speak 2026-07-28')];
    const head = await Promise.race([stream.head, undefined]);
    if (!first || first.atMs > PROMPT_MS) {
      const late = first ? `came after ${seconds(first.atMs)}` : `had not come after ${seconds(stream.elapsed)}`;
      const what = `the first event of an open stream ${late}: something holds events back`;
      return [problem(CHECK, what, UNBUFFERED), ...compression(head)];
    }
    return [ok(CHECK, `the first event of an open stream came after ${Math.round(first.atMs)} ms`)];
  } finally {
    stream.close();
  }
}

/** Of the bundled servers only: read-only, in the doctor's own session, over in two seconds. */
async function progress(visit: Visit): Promise<Finding[]> {
  const session = sessionOf(visit);
  const tool = { 'anynode-demo': 'long_job', 'anynode-everything': 'slow' }[String(session.result?.serverInfo?.name)];
  if (tool === undefined) return [skipped(CHECK, 'progress of a call: only with a bundled server')];
  const stream = session.callStream(tool, { steps: STEPS, ms: WORK_MS });
  try {
    await Promise.race([stream.over, stream.waitFor(() => false, WORK_MS + visit.mcp.timeoutMs)]);
    const steps = stream.frames.filter(({ data }) => data.includes('notifications/progress'));
    if (steps.length < STEPS) {
      const over = await Promise.race([stream.over, undefined]);
      const how = over ? `was ${over.how} after ${seconds(over.afterMs)}` : 'did not end';
      return [problem('streams', `a call sent ${steps.length} of ${STEPS} events and ${how}`, UNBUFFERED)];
    }
    return judgeSteps(steps.map(({ atMs }) => atMs));
  } finally {
    stream.close();
  }
}

function judgeSteps(times: readonly number[]): Finding[] {
  const distance = WORK_MS / STEPS;
  const lasted = (times.at(-1) ?? 0) - (times[0] ?? 0);
  // All between first and last step take a known time; events that were held back come in a heap.
  if (lasted < (distance * (STEPS - 1)) / 2) {
    const what = `${times.length} events, made ${distance} ms apart, arrived within ${Math.round(lasted)} ms`;
    return [problem(CHECK, what, UNBUFFERED)];
  }
  return [ok(CHECK, `${times.length} events, made ${distance} ms apart, arrived over ${seconds(lasted)}`)];
}

export function compression(head: Head | undefined): Finding[] {
  const encoding = head?.headers['content-encoding'];
  if (encoding === undefined) return [];
  return [
    warning('compression', `event streams are compressed (${encoding}): compressors hold events back`, {
      nginx: 'gzip_types without text/event-stream (or gzip off; in this location)',
      alb: 'does not compress; CloudFront: Compress false on this behavior',
      ingress: 'ConfigMap: gzip-types without text/event-stream, or use-gzip: "false"',
    }),
  ];
}
