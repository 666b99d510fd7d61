/** JSON-RPC over POST: what is answered, with which id, and what is refused as no message at all. */
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { initialize, notification, type RpcMessage, request, textOf } from '../support/json-rpc.js';
import { ACCEPT_BOTH, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import type { HttpSuite } from './target.js';

const IDS = [7, '7', 'a b', 0, '', -1, Number.MAX_SAFE_INTEGER];

const NO_MESSAGES: Record<string, unknown> = {
  'an empty object': {},
  'another version of JSON-RPC': { jsonrpc: '1.0', id: 1, method: 'ping' },
  'no version of JSON-RPC': { id: 1, method: 'ping' },
  'a method that is a number': { jsonrpc: '2.0', id: 1, method: 7 },
  'an id that is null': { jsonrpc: '2.0', id: null, method: 'ping' },
  'an id that is an object': { jsonrpc: '2.0', id: {}, method: 'ping' },
  'an id that is a fraction': { jsonrpc: '2.0', id: 1.5, method: 'ping' },
  'an answer with result and error': { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: 'x' } },
  'a bare string': 'ping',
  'a bare number': 42,
  null: null,
};

/** Deep enough to overturn a recursive reader, small enough to pass the size limit. */
const DEEP = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`;

function sendBody(session: RawSession, body: string | Uint8Array): Promise<RawResponse> {
  const headers = { ...session.headers(), 'Content-Type': 'application/json', Accept: ACCEPT_BOTH };
  return send(`${session.target.url}/mcp`, { method: 'POST', headers, body });
}

export const messages: HttpSuite = (target) => {
  let session: RawSession;
  before(async () => {
    session = await RawSession.open(target());
  });

  for (const id of IDS) {
    it(`repeats the id ${JSON.stringify(id)} with its type, in results and in errors`, async () => {
      expect((await session.request('ping', {}, { id })).id).to.equal(id);
      const unknown = await session.request('no/such/method', {}, { id });
      expect(unknown.id).to.equal(id);
    });
  }

  it('gives 7 and "7", under way at once, their own answers', async () => {
    const [number, string] = await Promise.all([
      session.callTool('echo', { text: 'number' }, { id: 7 }),
      session.callTool('echo', { text: 'string' }, { id: '7' }),
    ]);
    expect([number.id, textOf(number), string.id, textOf(string)]).to.deep.equal([7, 'number', '7', 'string']);
  });

  it('answers an unknown method with -32601 on status 200', async () => {
    const response = await session.post(request(1, 'no/such/method'));
    await expectRpcError(response, 200, -32601, 1);
  });

  it('says -32700 to what is no JSON', async () => {
    for (const body of ['{"jsonrpc":', '', 'ping', '{"jsonrpc":"2.0","id":1,"method":"ping"} trailing']) {
      await expectRpcError(await sendBody(session, body), 400, -32700, null);
    }
  });

  it('says -32700 to bytes that are no UTF-8, instead of guessing', async () => {
    const [head, tail] = [Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), Buffer.from('"}')];
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
      await expectRpcError(await sendBody(session, Buffer.concat([head, Buffer.from(bytes), tail])), 400, -32700, null);
    }
  });

  for (const [what, body] of Object.entries(NO_MESSAGES)) {
    it(`says -32600 to ${what}`, async () => {
      await expectRpcError(await session.post(body), 400, -32600);
    });
  }

  it('refuses a body nested 10,000 deep and stays well', async () => {
    await expectRpcError(await sendBody(session, DEEP), 400, [-32600, -32700]);
    expect(await session.status()).to.equal(200);
  });

  it('accepts notifications it does not know, or cannot read, with 202 and no body', async () => {
    await session.notify('notifications/cancelled', { requestId: 'never-sent' });
    await session.notify('notifications/progress', { nonsense: true });
    await session.notify('notifications/no-such-thing', { x: 1 });
    await session.notify('notifications/initialized');
  });

  it('accepts and drops an answer to a question it never asked', async () => {
    await session.accepted({ jsonrpc: '2.0', id: 'never-asked', result: {} });
    await session.accepted({ jsonrpc: '2.0', id: 0, error: { code: -1, message: 'no' } });
    expect(await session.status()).to.equal(200);
  });

  describe('batches', () => {
    const batch = [
      request(1, 'tools/list'),
      request('1', 'ping'),
      notification('notifications/cancelled', { requestId: 9 }),
    ];
    const openBatching = () => RawSession.open(target(), { revision: '2025-03-26' });

    it('answers each request of a batch on the one response, in a session of 2025-03-26', async () => {
      const response = await (await openBatching()).post(batch);
      expect(response.status).to.equal(200);
      if (response.isStream) await response.text();
      const answers = response.isStream ? response.messages : ((await response.json()) as unknown as RpcMessage[]);
      expect(answers).to.have.lengthOf(2);
      expect(answers.find(({ id }) => id === 1)?.result.tools).to.be.an('array');
      expect(answers.find(({ id }) => id === '1')?.result).to.deep.equal({});
    });

    it('answers what comes behind a request that it does not know, though that is answered at once', async () => {
      const batching = await openBatching();
      const slow = { name: 'slow', arguments: { ms: 700, steps: 2 } };
      const response = await batching.post([request(1, 'no/such/method'), request(2, 'tools/call', slow)]);
      if (response.isStream) await response.text();
      const answers = response.isStream ? response.messages : ((await response.json()) as unknown as RpcMessage[]);
      expect(answers.find(({ id }) => id === 1)?.error?.code).to.equal(-32601);
      expect(answers.find(({ id }) => id === 2)?.result.content).to.be.an('array');
    });

    it('accepts a batch without any request with 202', async () => {
      const batching = await openBatching();
      await batching.accepted([notification('notifications/cancelled', { requestId: 9 })]);
      await batching.accepted([{ jsonrpc: '2.0', id: 'never-asked', result: {} }]);
    });

    it('refuses an empty batch, one with initialize in it, and one that mixes requests with answers', async () => {
      const batching = await openBatching();
      await expectRpcError(await batching.post([]), 400, -32600);
      await expectRpcError(await batching.post([initialize('2025-03-26'), request(2, 'ping')]), 400, -32600);
      await expectRpcError(
        await batching.post([request(1, 'ping'), { jsonrpc: '2.0', id: 2, result: {} }]),
        400,
        -32600,
      );
    });

    it('refuses ten thousand requests in one batch', async () => {
      const many = Array.from({ length: 10_000 }, (_, i) => request(i, 'ping'));
      const response = await (await openBatching()).post(many);
      await response.text();
      expect(response.status).to.be.oneOf([400, 413]);
    });

    for (const revision of ['2024-11-05', '2025-06-18', '2025-11-25']) {
      it(`refuses a batch in a session of ${revision}, also without a version header`, async () => {
        const other = await RawSession.open(target(), { revision });
        await expectRpcError(await other.post(batch), 400, -32600);
        const { 'MCP-Protocol-Version': _, ...bare } = other.headers();
        const headers = { ...bare, 'Content-Type': 'application/json' };
        const body = JSON.stringify(batch);
        await expectRpcError(await send(`${target().url}/mcp`, { method: 'POST', headers, body }), 400, -32600);
      });
    }
  });
};
