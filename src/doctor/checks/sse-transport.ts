/**
 * The older transport, open: its first event, and an answer that one request causes on the stream of another. With any
 * server, of either SDK line.
 *
 * Only on demand: this transport has no way to end a session, so one is left behind until its time is up.
 */
import { type Finding, ok, problem, seconds, skipped } from '../finding.js';
import type { Check } from '../visit.js';
import { UNBUFFERED } from './event-streams.js';

const CHECK = 'sse-transport';
const PROMPT_MS = 2000;

export const sseTransport: Check = {
  name: CHECK,
  needsSession: true,
  async run({ mcp, options }) {
    if (!options.sse) return [skipped(CHECK, 'not opened (see --sse): its sessions cannot be ended')];
    const stream = mcp.openSse();
    try {
      const endpoint = await stream.waitFor(({ event }) => event === 'endpoint', mcp.timeoutMs);
      if (!endpoint || endpoint.atMs > PROMPT_MS) return [late('its first event', endpoint?.atMs ?? stream.elapsed)];
      const since = stream.elapsed;
      const { status } = await mcp.initializeSse(endpoint.data);
      if (status !== 202) return [refused(status)];
      const answer = await stream.waitFor(({ data }) => data.includes('"protocolVersion"'), mcp.timeoutMs);
      const took = (answer?.atMs ?? stream.elapsed) - since;
      if (!answer || took > PROMPT_MS) return [late('an answer on it', took)];
      return [ok(CHECK, `the answer to another request came on the open stream after ${Math.round(took)} ms`)];
    } finally {
      stream.close();
    }
  },
};

const late = (what: string, ms: number): Finding =>
  problem(CHECK, `${what} was not there within ${seconds(Math.min(ms, PROMPT_MS))}: events are held back`, UNBUFFERED);

const refused = (status: number): Finding =>
  problem(CHECK, `POST /messages gets ${status} while its stream is open`, {
    nginx: 'location /messages with the same proxy_pass and settings as /sse, the query unchanged',
    alb: 'listener rule: paths /sse and /messages to the same target group',
    ingress: 'paths /sse and /messages beside /mcp, no rewrite-target',
    anynode: 'the same REDIS_URL and KEY_PREFIX on all nodes',
  });
