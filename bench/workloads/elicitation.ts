/**
 * Elicitation over two nodes: the call is on the first, its user's answer is posted to the second. Timed from the first
 * byte of the answer's POST to the resumption of the handler, by the clock that all processes of a machine share.
 */
import { contestant } from '../contestants/index.js';
import { Connection } from '../load/connection.js';
import { openSession, post, rpc, sessionHeaders } from '../load/messages.js';
import { startServer } from '../measure/processes.js';
import { percentile } from '../measure/stats.js';

const PER_SECOND = 100;
/** Sessions that take turns; each is asked again only when its last call is over. */
const SESSIONS = 128;

export interface Latency {
  readonly median: number;
  readonly p99: number;
  readonly answers: number;
}

interface Pair {
  readonly call: Connection;
  readonly answer: Connection;
  readonly sessionId: string;
}

export async function measureElicitation(redisUrl: string, seconds: number): Promise<Latency> {
  const nodes = await Promise.all([1, 2].map(() => startServer(contestant('anynode-reusable'), redisUrl)));
  const [first, second] = nodes as [(typeof nodes)[number], (typeof nodes)[number]];
  try {
    const free: Pair[] = [];
    for (let i = 0; i < SESSIONS; i += 1) {
      const call = await Connection.open(first.port);
      free.push({ call, answer: await Connection.open(second.port), sessionId: await openSession(call) });
    }
    const all = [...free];
    const warmUp: number[] = [];
    await pace(free, warmUp, 2);
    const latencies: number[] = [];
    await pace(free, latencies, seconds);
    for (const { call, answer } of all) for (const connection of [call, answer]) connection.close();
    return { median: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), answers: latencies.length };
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

/** One question every hundredth of a second, whatever became of the ones before. */
async function pace(free: Pair[], latencies: number[], seconds: number): Promise<void> {
  const running: Promise<void>[] = [];
  const started = performance.now();
  for (let i = 0; i < seconds * PER_SECOND; i += 1) {
    const wait = started + (i * 1000) / PER_SECOND - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const pair = free.shift();
    // All wait for their answers: this question is left out, and the number of answers shows it.
    if (!pair) continue;
    running.push(
      askOnce(pair)
        .then((ms) => void latencies.push(ms))
        .finally(() => free.push(pair)),
    );
  }
  const failed = (await Promise.allSettled(running)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

async function askOnce({ call, answer, sessionId }: Pair): Promise<number> {
  let posted: Promise<unknown> | undefined;
  let sent = 0n;
  const request = rpc(contestant('anynode-reusable'), sessionId, 'tools/call', { name: 'ask', arguments: {} });
  const { text } = await call.request(request, (soFar) => {
    const id = posted
      ? undefined
      : /"method":"elicitation\/create"[^\n]*"id":"([^"]+)"|"id":"([^"]+)"[^\n]*"method":"elicitation\/create"/.exec(
          soFar,
        );
    if (!id) return;
    const result = { action: 'accept', content: { city: 'Lisbon' } };
    const bytes = post(sessionHeaders(sessionId), { jsonrpc: '2.0', id: id[1] ?? id[2], result });
    sent = process.hrtime.bigint();
    posted = answer.request(bytes);
    posted.catch(() => undefined);
  });
  await posted;
  const resumed = /"text":"(\d+)"/.exec(text)?.[1];
  if (resumed === undefined) throw new Error(`elicitation: ${text}`);
  return Number(BigInt(resumed) - sent) / 1e6;
}
