/**
 * Clients that ask without a pause while the store is away, of everything that needs it and of something that does not,
 * and judge each answer: in time, honest, and of the right form.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { callTool } from '../modern/modern-client.js';
import { expectRpcError } from '../support/expectations.js';
import { initialize, NEWEST_REVISION, notification, request, textOf } from '../support/json-rpc.js';
import { baseUrl, postMcp, type RawSession, type Target } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { openSse } from '../support/raw-sse-client.js';

/** Two seconds are promised; the rest is for a busy machine. */
export const IN_TIME_MS = 2500;

type Ask = (node: number) => Promise<RawResponse>;

function demandsOf(target: Target, session: RawSession): Record<string, Ask> {
  const headers = session.headers({ Accept: 'text/event-stream' });
  return {
    'tools/list': (node) => session.post(request(randomUUID(), 'tools/list'), { node }),
    count: (node) => session.post(request(randomUUID(), 'tools/call', { name: 'count', arguments: {} }), { node }),
    notification: (node) => session.post(notification('notifications/initialized'), { node }),
    answer: (node) => session.post({ jsonrpc: '2.0', id: 'x', result: {} }, { node }),
    initialize: (node) => postMcp(target, initialize(NEWEST_REVISION), { node }),
    DELETE: (node) => session.delete({ node }),
    GET: (node) => send(`${baseUrl(target, { node })}/mcp`, { headers }),
    '/sse': (node) => openSse(target, '/sse', { node }),
    '/messages': (node) =>
      send(`${baseUrl(target, { node })}/messages?sessionId=${session.id}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(request(1, 'ping')),
      }),
  };
}

export class Siege {
  /** Answers of each kind, refusals among them. */
  answers = 0;
  /** How many different things are asked, at all nodes. */
  readonly kinds: number;
  readonly faults: string[] = [];
  readonly #running: Promise<unknown>;
  #over = false;

  private constructor(asks: readonly (() => Promise<unknown>)[]) {
    const besiege = async (ask: () => Promise<unknown>): Promise<void> => {
      while (!this.#over) {
        const since = performance.now();
        try {
          await ask();
          const took = Math.round(performance.now() - since);
          expect(took, 'ms').to.be.below(IN_TIME_MS);
        } catch (error) {
          if (this.faults.length < 20) this.faults.push((error as Error).message);
        }
        this.answers += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    this.kinds = asks.length;
    this.#running = Promise.all(asks.map(besiege));
  }

  /** Everything that needs the store is to be refused with 503; what does not is to be served. */
  static begin(target: Target, session: RawSession): Siege {
    const asks = target.nodeUrls.flatMap((url, node) => [
      ...Object.entries(demandsOf(target, session)).map(([name, ask]) => async () => {
        const response = await ask(node);
        if (response.status !== 503)
          throw new Error(`${name}: ${response.status} ${(await peek(response)).slice(0, 200)}`);
        await expectRpcError(response, 503);
        expect(Number(response.headers['retry-after']), `${name}: Retry-After`).to.be.greaterThan(0);
      }),
      async () => expect(textOf(await callTool(target, 'echo', { text: 'hi' }, { node }))).to.equal('hi'),
      async () => expect((await fetch(`${url}/livez`)).status, '/livez').to.equal(200),
    ]);
    return new Siege(asks);
  }

  /** Resolves when all answers are in. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#running;
  }
}

/** A stream that should not be there has no end to wait for. */
async function peek(response: RawResponse): Promise<string> {
  if (!response.isStream) return response.text();
  response.close();
  return 'a stream';
}
