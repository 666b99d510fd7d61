/** The HTTP+SSE transport of 2024-11-05: one stream for everything, POSTs beside it. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectRpcError, UUID } from '../support/expectations.js';
import { request, textOf } from '../support/json-rpc.js';
import { openSse, postMessage, RawSseSession } from '../support/raw-sse-client.js';
import type { HttpSuite } from './target.js';

export const sseTransport: HttpSuite = (target) => {
  it('names the endpoint for POSTs as its first event', async () => {
    const session = await RawSseSession.connect(target());
    expect(session.stream.headers['content-type']).to.match(/^text\/event-stream/);
    expect(session.endpoint).to.equal(`/messages?sessionId=${session.id}`);
    expect(session.id).to.match(UUID);
    session.stream.close();
  });

  it('takes messages with 202 and answers them on the stream', async () => {
    const session = await RawSseSession.open(target());
    const list = await session.request('tools/list');
    expect(list.result.tools).to.be.an('array').and.not.empty;
    const echo = await session.callTool('echo', { text: 'over the old transport' }, { id: 0 });
    expect([echo.id, textOf(echo)]).to.deep.equal([0, 'over the old transport']);
    const unknown = await session.request('no/such/method', {}, { id: '' });
    expect([unknown.id, unknown.error?.code]).to.deep.equal(['', -32601]);
    session.stream.close();
  });

  it('negotiates later revisions as well', async () => {
    for (const revision of ['2024-11-05', '2025-11-25']) {
      const session = await RawSseSession.open(target(), { revision });
      const handshake = await session.answerTo('init');
      expect(handshake.result.protocolVersion).to.equal(revision);
      session.stream.close();
    }
  });

  it('refuses what is no JSON and what is no message, and the session lives on', async () => {
    const session = await RawSseSession.open(target());
    await expectRpcError(await postMessage(target(), session.endpoint, '{"jsonrpc":'), 400, -32700, null);
    await expectRpcError(await postMessage(target(), session.endpoint, { hello: 'world' }), 400, -32600);
    await expectRpcError(
      await postMessage(target(), session.endpoint, '{}', { headers: { 'Content-Type': 'text/plain' } }),
      415,
    );
    expect((await session.request('ping')).result).to.deep.equal({});
    session.stream.close();
  });

  it('knows no session it did not open, on either route, and opens none for it', async () => {
    for (const id of [randomUUID(), 'abc', '*', '']) {
      const unknown = await postMessage(target(), `/messages?sessionId=${id}`, request(3, 'ping'));
      await expectRpcError(unknown, id === '' && unknown.status === 400 ? 400 : 404);
      if (id !== '') await expectRpcError(await openSse(target(), `/sse?sessionId=${id}`), 404);
    }
    const nameless = await postMessage(target(), '/messages', request(3, 'ping'));
    await expectRpcError(nameless, nameless.status === 404 ? 404 : 400);
  });

  it('says 410 and where to reconnect when the session lives but nobody listens', async () => {
    const session = await RawSseSession.open(target());
    session.stream.close();
    const body = await eventually(async () => {
      const response = await postMessage(target(), session.endpoint, request(9, 'ping'));
      return response.status === 410 && (await response.json());
    });
    expect(body.id).to.equal(9);
    expect(body.error?.code).to.equal(-32000);
    expect(body.error?.data).to.deep.equal({
      reason: 'sse_connection_lost',
      sessionId: session.id,
      reconnect: `/sse?sessionId=${session.id}`,
    });
  });

  it('continues the same session on a new stream, without a handshake', async () => {
    const session = await RawSseSession.open(target());
    session.stream.close();
    const stream = await session.reconnect();
    const first = await stream.waitForEvent(() => true, 'first event');
    expect([first.event, first.data]).to.deep.equal(['endpoint', session.endpoint]);
    expect(textOf(await session.callTool('echo', { text: 'again' }))).to.equal('again');
    session.stream.close();
  });

  it('never starts the old transport on the new path', async () => {
    const response = await openSse(target(), '/mcp');
    await expectRpcError(response, 400, -32000);
  });
};
