/** HTTP methods that a route does not have: 405, and the ones that it has. Asked with supertest, as a browser would. */
import { expect } from 'chai';
import supertest from 'supertest';
import { RawSession } from '../support/raw-client.js';
import type { HttpSuite } from './target.js';

const WRONG: readonly (readonly [path: string, methods: readonly string[], allow: readonly string[]])[] = [
  ['/mcp', ['put', 'patch'], ['GET', 'POST', 'DELETE']],
  ['/sse', ['post', 'put', 'patch', 'delete'], ['GET']],
  ['/messages', ['get', 'put', 'patch', 'delete'], ['POST']],
];

const allowed = (header: string | undefined): string[] => (header ?? '').split(',').map((method) => method.trim());

export const methods: HttpSuite = (target) => {
  for (const [path, wrong, allow] of WRONG) {
    for (const method of wrong) {
      it(`answers ${method.toUpperCase()} ${path} with 405 and what is allowed`, async () => {
        const agent = supertest(target().url) as unknown as Record<string, (path: string) => supertest.Test>;
        const response = await agent[method]?.(path).set('Content-Type', 'application/json');
        expect(response?.status).to.equal(405);
        expect(allowed(response?.headers.allow)).to.include.members([...allow]);
        expect(response?.body.error, JSON.stringify(response?.body)).to.include.keys('code', 'message');
      });
    }
  }

  it('answers HEAD /mcp with 405 rather than with a stream', async () => {
    const response = await supertest(target().url).head('/mcp');
    expect(response.status).to.equal(405);
    expect(allowed(response.headers.allow)).to.include.members(['GET', 'POST', 'DELETE']);
  });

  it('has no GET and no DELETE for a client that declares 2026-07-28, and leaves the session alone', async () => {
    const session = await RawSession.open(target());
    const headers = session.headers({ 'MCP-Protocol-Version': '2026-07-28', Accept: 'text/event-stream' });
    for (const method of ['get', 'delete'] as const) {
      const response = await supertest(target().url)[method]('/mcp').set(headers);
      expect(response.status, method).to.equal(405);
      expect(allowed(response.headers.allow)).to.include('POST');
    }
    expect(await session.status()).to.equal(200);
  });
};
