/** HTTP+SSE over a fleet: the one stream is on one node, the POSTs come to others. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { isResponse, request } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { postMessage, RawSseSession } from '../support/raw-sse-client.js';
import { type ClusterSuite, probe, returned, updatesOf } from './probe-fleet.js';

export const sseTransport: ClusterSuite = (fleet) => {
  let session: RawSseSession;
  beforeEach(async () => {
    session = await RawSseSession.open(fleet(), { node: 0, capabilities: { elicitation: {} } });
  });
  afterEach(() => session.stream.close());

  it('serves POSTs on every node and answers on the one stream', async () => {
    for (const node of [1, 2, 0]) {
      const self = returned(await session.callTool('self', {}, { node }));
      expect(self.nodeId).to.equal(fleet().nodes[node]?.nodeId);
      expect(self.sessionId).to.equal(session.id);
      expect(self.capabilities).to.include.keys('elicitation');
    }
    const hash = await fleet().inspect.hGetAll(`session:${session.id}`);
    expect([hash.transportType, hash.protocolVersion]).to.deep.equal(['sse', '2024-11-05']);
  });

  it('answers each of many POSTs once', async () => {
    const ids = Array.from({ length: 45 }, (_, i) => i);
    await Promise.all(ids.map((id) => session.post(request(id, 'ping'), { node: id % 3 })));
    for (const id of ids) await session.answerTo(id);
    const answered = session.stream.messages.filter((m) => isResponse(m) && typeof m.id === 'number');
    expect(answered.map(({ id }) => id).sort((a, b) => Number(a) - Number(b))).to.deep.equal(ids);
  });

  it('asks on the stream and takes the answer on another node', async () => {
    await session.post(request(5, 'tools/call', { name: 'ask', arguments: { messages: ['?'] } }), { node: 1 });
    const question = await session.asked('elicitation/create');
    const result = { action: 'accept', content: { word: 'over the old transport' } };
    await session.post({ jsonrpc: '2.0', id: question.id, result }, { node: 2 });
    expect(returned(await session.answerTo(5))[0]).to.deep.include(result);
  });

  it('tells of changes that other sessions make on other nodes', async () => {
    const uri = 'test://watched';
    await session.request('resources/subscribe', { uri }, { node: 1 });
    const other = await RawSession.open(fleet());
    await probe(other, 'touch', { uri }, { node: 2 });
    await session.stream.waitFor(({ params }) => params?.uri === uri, 'the update');
    await session.request('ping', {}, { node: 2 });
    expect(updatesOf(session.stream, uri)).to.have.lengthOf(1);
  });

  it('says 410 on every node when the stream is closed, and where to reconnect', async () => {
    session.stream.close();
    for (const node of [0, 1, 2]) {
      await eventually(async () => {
        const response = await postMessage(fleet(), session.endpoint, request(9, 'ping'), { node });
        const body = await expectRpcError(response, 410, -32000, 9);
        expect(body.error?.data).to.deep.equal({
          reason: 'sse_connection_lost',
          sessionId: session.id,
          reconnect: `/sse?sessionId=${session.id}`,
        });
      });
    }
  });

  it('delivers on the reconnect, on another node, what was produced meanwhile, once', async () => {
    await session.post(request('late', 'tools/call', { name: 'pause', arguments: { ms: 700 } }), { node: 1 });
    session.stream.close();
    // Nothing but the log can hold the answer now: the stream is gone before the call is over.
    const other = await RawSession.open(fleet());
    await probe(other, 'pause', { ms: 900 }, { node: 1 });
    await session.reconnect({ node: 2 });
    expect(returned(await session.answerTo('late'))).to.equal(700);
    await session.request('ping', {}, { node: 0 });
    session.stream.close();

    await session.reconnect({ node: 1 });
    await session.request('ping', {}, { node: 0 });
    expect(session.stream.messages.filter(({ id }) => id === 'late')).to.deep.equal([]);
  });

  it('cancels a call from another node', async () => {
    await session.post(request(6, 'tools/call', { name: 'wait_for', arguments: { key: 'k' } }), { node: 1 });
    await eventually(async () => {
      const started = returned(await session.callTool('recall', { key: 'k:started' }, { node: 2 }));
      expect(started.value).to.equal(1);
    });
    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 6 } }, { node: 0 });
    await eventually(async () => {
      const cancelled = returned(await session.callTool('recall', { key: 'k:cancelled' }, { node: 2 }));
      expect(cancelled.value).to.equal(1);
    });
    expect(session.stream.messages.filter(({ id }) => id === 6)).to.deep.equal([]);
  });
};
