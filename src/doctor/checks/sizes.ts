/** What is too large for a proxy although the nodes would take it. */
import { type Finding, ok, problem, warning } from '../finding.js';
import { type Answer, NoAnswer } from '../http.js';
import { call, describe, errorCodeOf } from '../mcp.js';
import { type Check, sessionOf, type Visit } from '../visit.js';

const LONG_HEADER = 6 * 1024;
const LARGER_BODIES = {
  nginx: 'client_max_body_size 16m; (more than MAX_BODY_BYTES, so that the nodes do the refusing)',
  alb: 'no limit of its own; WAF: body rules (SizeRestrictions_BODY)',
  ingress: 'nginx.ingress.kubernetes.io/proxy-body-size: "16m"',
};

export const sizes: Check = {
  name: 'body-size',
  needsSession: true,
  run: async (visit) => [...(await bodies(visit)), await longHeaders(visit)],
};

/** `size` bytes that a node takes for a ping. */
function ping(size: number): string {
  const frame = JSON.stringify(call('ping', { _meta: { pad: '' } }));
  return frame.replace('"pad":""', `"pad":"${'x'.repeat(Math.max(0, size - frame.length))}"`);
}

/** Undefined: the connection broke. */
async function post(visit: Visit, size: number): Promise<Answer | undefined> {
  try {
    return await visit.mcp.post(ping(size), sessionOf(visit).headers);
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}

async function bodies(visit: Visit): Promise<Finding[]> {
  const max = visit.options.maxBodyBytes;
  let passed = 0;
  for (const size of [max / 64, max / 16, max / 4, max / 2, max].map(Math.floor)) {
    const answer = await post(visit, size);
    if (answer?.status === 200) {
      passed = size;
      continue;
    }
    const own = answer && errorCodeOf(answer) !== undefined;
    if (own && answer.status === 413) {
      const limit = /(\d+) bytes/.exec(answer.text)?.[1];
      return [
        ok('body-size', `the nodes themselves take ${limit ?? passed} bytes at most (--max-body tells the doctor)`),
      ];
    }
    const how = answer ? describe(answer) : 'no answer';
    const seen = `a body of ${kib(size)} gets ${how}; ${kib(passed)} passed, the nodes take ${kib(max)}`;
    return [problem('body-size', seen, LARGER_BODIES)];
  }
  const beyond = await post(visit, max + 1024);
  if (beyond?.status === 413 && errorCodeOf(beyond) === undefined) {
    return [
      warning('body-size', `${kib(max)} pass; a larger body is refused by a page and not by the nodes`, LARGER_BODIES),
    ];
  }
  return [ok('body-size', `bodies of ${kib(max)} pass, larger ones are refused by the nodes`)];
}

async function longHeaders(visit: Visit): Promise<Finding> {
  const padding = { 'X-Anynode-Doctor': 'x'.repeat(LONG_HEADER) };
  const answer = await sessionOf(visit)
    .request('ping', {}, padding)
    .catch((error: unknown) => {
      if (error instanceof NoAnswer) return undefined;
      throw error;
    });
  if (answer?.status === 200) return ok('header-size', `a header of ${kib(LONG_HEADER)} passes (long tokens)`);
  const how = answer ? describe(answer) : 'no answer';
  return warning('header-size', `a header of ${kib(LONG_HEADER)} gets ${how}: long tokens will too`, {
    nginx: 'large_client_header_buffers 4 8k; client_header_buffer_size 1k;',
    alb: 'fixed: 16K for one header, 64K for all',
    ingress: 'ConfigMap: large-client-header-buffers: "4 8k"',
  });
}

const kib = (bytes: number): string => (bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KiB`);
