/** How long a stream lives on which nothing happens, and whether the nodes' keep-alive comments come through one by one. */
import { type Finding, ok, problem, seconds, skipped, warning } from '../finding.js';
import type { Frame } from '../frames.js';
import type { Head, Stream } from '../http.js';
import type { Check } from '../visit.js';
import { compression, UNBUFFERED } from './event-streams.js';

const CHECK = 'idle-streams';
const PROMPT_MS = 2000;
const HELD_MS = 300;
const SAME_MOMENT_MS = 20;
const LIVE_LONGER = {
  nginx: 'proxy_read_timeout 60s; (longer than SSE_KEEPALIVE_MS, and proxy_send_timeout too)',
  alb: 'idle_timeout.timeout_seconds = 60, longer than SSE_KEEPALIVE_MS',
  ingress: 'nginx.ingress.kubernetes.io/proxy-read-timeout: "60"',
  anynode: 'or SSE_KEEPALIVE_MS below half of the time-out',
};

export const idleStreams: Check = {
  name: CHECK,
  needsSession: true,
  watches: true,
  async run({ mcp, options }) {
    // A session of its own: the other checks open streams too, and the newest one takes over.
    const { session } = await mcp.open();
    if (!session) return [skipped(CHECK, 'no second session could be opened')];
    const stream = session.mainStream();
    try {
      const watched = stream.waitFor(() => false, options.watchMs);
      const head = await stream.head;
      await watched;
      const findings = judgeHead(head, mcp.timeoutMs, stream.frames[0]);
      const over = await Promise.race([
        stream.over,
        new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
      ]);
      return [...findings, ...judgeLife(stream, over, options.watchMs)];
    } finally {
      stream.close();
      await session.end();
    }
  },
};

/**
 * Nodes send the head at once. Some proxies (nginx with buffering) hold it until there is a first byte behind it: then
 * both arrive at the same moment.
 */
function judgeHead(head: Head | undefined, timeoutMs: number, first: Frame | undefined): Finding[] {
  if (!head || head.afterMs > PROMPT_MS) {
    const late = head ? `came after ${seconds(head.afterMs)}` : `had not come after ${seconds(timeoutMs)}`;
    return [problem('buffering', `the head of an idle stream ${late}`, UNBUFFERED)];
  }
  if (first && head.afterMs > HELD_MS && first.atMs - head.afterMs < SAME_MOMENT_MS) {
    const what = `the head of an idle stream came after ${seconds(head.afterMs)}, together with its first keep-alive`;
    return [problem('buffering', what, UNBUFFERED), ...compression(head)];
  }
  if (!head.headers['content-type']?.startsWith('text/event-stream')) {
    const type = `${head.status} and ${String(head.headers['content-type'])}`;
    return [
      problem('content-type', `a stream arrives as ${type} instead of text/event-stream`, {
        nginx: 'no `proxy_hide_header Content-Type` and no cache for this location',
        alb: 'passes it; look at CloudFront and its functions',
        ingress: 'no Content-Type in hide-headers or snippets',
      }),
    ];
  }
  return compression(head);
}

function judgeLife(stream: Stream, over: { how: string; afterMs: number } | undefined, watchMs: number): Finding[] {
  const times = stream.frames.filter(({ kind }) => kind === 'comment').map(({ atMs }) => atMs);
  const silentSince = stream.frames.at(-1)?.atMs ?? 0;
  if (over) {
    const silence = seconds(over.afterMs - silentSince);
    if (stream.frames.at(-1)?.kind === 'retry') {
      return [
        warning(CHECK, `the node closed the stream after ${seconds(over.afterMs)}: it is leaving`, {
          anynode: 'look again when the deployment is over',
        }),
      ];
    }
    const what = `an idle stream was ${over.how} after ${seconds(over.afterMs)}, ${silence} after the last byte`;
    return [problem(CHECK, what, LIVE_LONGER)];
  }
  if (times.length === 0) {
    return [
      warning(CHECK, `an idle stream lived ${seconds(watchMs)}, but no keep-alive came: a longer --watch tells more`, {
        ...UNBUFFERED,
        anynode: 'SSE_KEEPALIVE_MS below the time-outs of all proxies (15000 by default)',
      }),
    ];
  }
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  // One short gap may be a stall of this very process; a buffer makes most of them short.
  const short = gaps.filter((gap) => gap < SAME_MOMENT_MS).length;
  if (short > gaps.length / 2) {
    return [problem('buffering', `keep-alive comments arrive in heaps (${times.length} of them)`, UNBUFFERED)];
  }
  const distance = seconds(Math.max(...gaps, times[0] ?? 0));
  return [
    ok(CHECK, `an idle stream lived ${seconds(watchMs)}, as long as it was watched; longest silence ${distance}`),
    ok('buffering', `${times.length} keep-alive comment(s) came one by one`),
  ];
}
