/**
 * A node under a hundred thousand requests that nobody would send on purpose: it answers each of them, none with a fault
 * of its own, does not crash and does not grow.
 */
import http from 'node:http';
import { expect } from 'chai';
import fc from 'fast-check';
import { size, tell } from '../streams/scale.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { type FuzzRequest, fuzzRequest } from './fuzz-requests.js';

/** All of them also where a change is judged; a developer's machine has other things to do. */
const REQUESTS = process.env.CI ? 100_000 : size(20_000, 100_000);
const AT_ONCE = 50;
/** Anything beyond is taken for a request that was never answered. */
const PATIENCE_MS = 20_000;
/** Between the first third and the last, by the least heap seen in each: what is left is not garbage. */
const GROWTH_BYTES = 12 * 1024 * 1024;

interface Outcome {
  readonly status: number;
  readonly text: string;
}

describe(`a node under ${REQUESTS} senseless requests`, () => {
  let fleet: Fleet;
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  before(async () => {
    // Sessions that the requests happen to open go by themselves.
    const env = {
      MCP_SERVER: 'everything',
      SESSION_TTL_MS: '5000',
      STREAM_TTL_MS: '5000',
      STATE_SECRETS: 's'.repeat(32),
    };
    fleet = await startFleet({ nodes: 1, env });
  });
  after(async () => {
    agent.destroy();
    await fleet?.stop();
  });

  /** The head and, where it is no stream, the body; a stream is left as soon as it begins. */
  function ask({ method, path, headers, body }: FuzzRequest, sessionId: string | undefined): Promise<Outcome> {
    const { port } = fleet.nodes[0] as { port: number };
    return new Promise((resolve, reject) => {
      const own = { ...headers, ...(sessionId !== undefined && { 'Mcp-Session-Id': sessionId }) };
      const length = body === undefined ? {} : { 'Content-Length': `${Buffer.byteLength(body)}` };
      const req = http.request({ agent, host: '127.0.0.1', port, method, path, headers: { ...own, ...length } });
      req.setTimeout(PATIENCE_MS, () => req.destroy(new Error('no answer')));
      req.on('error', reject);
      req.on('response', (res) => {
        const status = res.statusCode ?? 0;
        if ((res.headers['content-type'] ?? '').startsWith('text/event-stream')) {
          res.on('error', () => {});
          res.destroy();
          resolve({ status, text: '' });
          return;
        }
        let text = '';
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => {
          text += chunk;
        });
        res.on('end', () => resolve({ status, text }));
        res.on('error', reject);
      });
      req.end(body);
    });
  }

  async function heap(): Promise<number> {
    const text = await (await send(`${fleet.url}/metrics`)).text();
    return Number(/^nodejs_heap_size_used_bytes\S* (\S+)$/m.exec(text)?.[1]);
  }

  it('answers each, with no fault of its own, stays alive and does not grow', async () => {
    let live = await RawSession.open(fleet);
    const statuses = new Map<number, number>();
    const heaps: number[] = [];
    let batches = 0;
    const property = fc.asyncProperty(
      fc.array(fuzzRequest, { minLength: AT_ONCE, maxLength: AT_ONCE }),
      async (requests) => {
        batches += 1;
        // One of them may have deleted it.
        if ((await live.status()) !== 200) live = await RawSession.open(fleet);
        await Promise.all(
          requests.map(async (request) => {
            const id =
              request.session === 'live' ? live.id : request.session === 'made-up' ? crypto.randomUUID() : undefined;
            const { status, text } = await ask(request, id);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            if (status >= 500 || status === 0) throw new Error(`${status} ${text} for ${JSON.stringify(request)}`);
            if (status >= 400 && request.method !== 'HEAD') {
              const { jsonrpc, error } = JSON.parse(text);
              if (jsonrpc !== '2.0' || typeof error?.message !== 'string')
                throw new Error(`${status} without words: ${text}`);
            }
          }),
        );
        if (batches % 4 === 0) heaps.push(await heap());
      },
    );
    // Not made smaller: a batch that fails names the request itself, and repeating it would take hours.
    const seed = Number(process.env.ANYNODE_SEED ?? Date.now() % 2 ** 31);
    await fc.assert(property, { numRuns: REQUESTS / AT_ONCE, endOnFailure: true, seed });

    const third = Math.floor(heaps.length / 3);
    const first = Math.min(...heaps.slice(third / 2, third + third / 2));
    const last = Math.min(...heaps.slice(-third));
    const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
    tell(`${counts.join(', ')}; heap ${(first / 2 ** 20).toFixed(1)} MB, then ${(last / 2 ** 20).toFixed(1)} MB`);
    expect(statuses.get(200) ?? 0, 'some were sensible').to.be.greaterThan(REQUESTS / 50);
    expect(last - first, 'growth of the heap').to.be.below(GROWTH_BYTES);
    expect((await send(`${fleet.url}/livez`)).status).to.equal(200);
    const log = fleet.nodes[0]?.log ?? [];
    expect(
      log.filter(({ level }) => level === 'error').map((line) => JSON.stringify(line).slice(0, 600)),
    ).to.deep.equal([]);
  }).timeout(1_200_000);
});
