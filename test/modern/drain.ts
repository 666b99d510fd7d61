/**
 * A node that goes in order: its subscriptions end with their result, its calls finish, nobody takes it for a fault.
 * The fleet is smaller afterwards.
 */
import { once } from 'node:events';
import http from 'node:http';
import { expect } from 'chai';
import { isResponse, type RpcId, textOf } from '../support/json-rpc.js';
import { ACCEPT_BOTH } from '../support/raw-client.js';
import { flush, LISTEN, listen, toldOn } from './listening.js';
import { body, callTool, modernHeaders, post, SERVER_INFO, SUBSCRIPTION_ID } from './modern-client.js';
import { type ModernSuite, nodeAt } from './modern-suite.js';

const URI = 'test://watched-resource';

export const drain: ModernSuite = (fleet) => {
  it('ends each subscription with the result of its request, and lets calls finish', async () => {
    const ids: RpcId[] = [1, '1', 'sub'];
    const streams = await Promise.all(ids.map((id) => listen(fleet(), { toolsListChanged: true }, { id, node: 0 })));
    const elsewhere = await listen(fleet(), { resourceSubscriptions: [URI] }, { node: 1 });
    const call = callTool(fleet(), 'slow', { ms: 500, steps: 5 }, { node: 0 });
    const streamed = callTool(fleet(), 'slow', { ms: 500, steps: 5 }, { node: 0, meta: { progressToken: 1 } });
    await callTool(fleet(), 'echo', {}, { node: 0 });
    await fleet().retire(nodeAt(fleet(), 0));

    for (const [i, stream] of streams.entries()) {
      expect(await stream.untilEnd(), 'ended in order').to.equal(true);
      const last = stream.messages.at(-1);
      expect(last && isResponse(last)).to.equal(true);
      expect([last?.id, last?.result.resultType]).to.deep.equal([ids[i], 'complete']);
      expect(last?.result._meta[SUBSCRIPTION_ID]).to.equal(ids[i]);
      expect(last?.result._meta[SERVER_INFO].name).to.equal('anynode-everything');
      expect(stream.messages.some(({ method }) => method === 'notifications/cancelled')).to.equal(false);
    }
    for (const answer of [await call, await streamed]) expect(textOf(answer)).to.equal('slow: 5 steps done');

    const again = await listen(fleet(), { resourceSubscriptions: [URI] });
    await callTool(fleet(), 'touch', { uri: URI });
    for (const stream of [elsewhere, again]) {
      await flush(fleet(), stream);
      expect(toldOn(stream)).to.deep.equal([URI]);
      stream.close();
    }
  });

  it('answers a subscription that comes in the middle of it as one that may be tried again', async () => {
    const node = nodeAt(fleet(), 0);
    const stream = await listen(fleet(), { toolsListChanged: true }, { node: 0 });
    const call = callTool(fleet(), 'slow', { ms: 600, steps: 2 }, { node: 0 });
    const params = { notifications: { toolsListChanged: true } };
    const headers = { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH, ...modernHeaders(LISTEN, params) };
    const late = http.request(`${node.url}/mcp`, { method: 'POST', agent: false, headers });
    const [whole, half] = [JSON.stringify(body(LISTEN, params)), 20];
    late.write(whole.slice(0, half));
    await callTool(fleet(), 'echo', {}, { node: 0 });
    const gone = fleet().retire(node);
    await stream.untilEnd();
    late.end(whole.slice(half));
    const [response] = (await once(late, 'response')) as [http.IncomingMessage];
    response.resume();
    expect(textOf(await call)).to.equal('slow: 2 steps done');
    await gone;
    await fleet().addNode();
    // 200: it was acknowledged, and ended like the others. 503: it was not. All else would be blamed on somebody.
    expect(response.statusCode).to.be.oneOf([200, 503]);
  });

  it('answers a call that outlasts the drain as one that may be tried again', async () => {
    const headers = { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH };
    const params = { name: 'slow', arguments: { ms: 30_000, steps: 1 } };
    const call = post(fleet(), body('tools/call', params), {
      node: 0,
      headers: { ...headers, ...modernHeaders('tools/call', params) },
    });
    await callTool(fleet(), 'echo', {}, { node: 0 });
    await fleet().retire(nodeAt(fleet(), 0));
    const response = await call;
    await fleet().addNode();
    expect([response.status, response.headers['retry-after']]).to.deep.equal([503, '1']);
    expect((await response.json()).error?.code).to.equal(-32000);
  });

  it('that is killed instead just breaks its subscriptions off, and those of the other nodes go on', async () => {
    const broken = await listen(fleet(), { toolsListChanged: true }, { node: 0 });
    const whole = await listen(fleet(), { toolsListChanged: true }, { node: 1 });
    await fleet().kill(nodeAt(fleet(), 0));
    expect(await broken.untilEnd()).to.equal(false);
    expect(broken.messages.some(isResponse)).to.equal(false);
    await callTool(fleet(), 'mutate', { kind: 'tools' });
    await flush(fleet(), whole);
    expect(toldOn(whole)).to.have.lengthOf(1);
    whole.close();
  });
};
