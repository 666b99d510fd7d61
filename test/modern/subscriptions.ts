/** `subscriptions/listen`: what it says first, what it tells, with which tag, and what has no business on it. */
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { isResponse, type RpcId } from '../support/json-rpc.js';
import { flush, isAcknowledgement, LISTEN, listen, toldOn } from './listening.js';
import { answer, ask, callTool, notificationsOf, SUBSCRIPTION_ID } from './modern-client.js';
import type { ModernSuite } from './modern-suite.js';

const URI = 'test://watched-resource';
const KINDS = ['tools', 'prompts', 'resources'] as const;
const changed = (kind: string): string => `notifications/${kind}/list_changed`;

export const subscriptions: ModernSuite = (fleet) => {
  it('says first what it honours: what was asked for, is true and exists', async () => {
    const resourceSubscriptions = [URI, 'test://static-text'];
    const notifications = { toolsListChanged: true, promptsListChanged: false, rootsListChanged: true };
    const params = { notifications: { ...notifications, resourceSubscriptions } };
    const stream = await ask(fleet(), LISTEN, params, { id: 'sub-1' });
    expect(stream.isStream).to.equal(true);
    expect(stream.headers['x-accel-buffering']).to.equal('no');
    expect(stream.headers).to.not.have.property('mcp-session-id');
    const first = await stream.waitFor(() => true, 'the first message');
    expect(isAcknowledgement(first)).to.equal(true);
    expect(first.params.notifications).to.deep.equal({ toolsListChanged: true, resourceSubscriptions });
    expect(first.params._meta).to.deep.equal({ [SUBSCRIPTION_ID]: 'sub-1' });
    stream.close();
  });

  it('that is asked for nothing says so and ends with its result', async () => {
    const stream = await ask(fleet(), LISTEN, { notifications: {} }, { id: 'none' });
    expect(await stream.untilEnd()).to.equal(true);
    const [first, last] = stream.messages;
    expect(first?.params.notifications).to.deep.equal({});
    expect([last?.id, last?.result.resultType]).to.deep.equal(['none', 'complete']);
  });

  it('without a filter, or with one of another shape, is -32602', async () => {
    for (const params of [{}, { notifications: null }, { notifications: { toolsListChanged: 'yes' } }]) {
      const { error } = await answer(fleet(), LISTEN, params);
      expect(error?.code, JSON.stringify(params)).to.equal(-32602);
    }
  });

  it('tags everything with its own id, number or text, whoever else has chosen the same', async () => {
    const ids: RpcId[] = [1, '1', 1, '1', 0, ''];
    const streams = await Promise.all(
      ids.map((id, i) => listen(fleet(), { toolsListChanged: true }, { id, node: i % 2 })),
    );
    await callTool(fleet(), 'mutate', { kind: 'tools' }, { node: 2 });
    for (const [i, stream] of streams.entries()) {
      await flush(fleet(), stream, 2);
      expect(toldOn(stream)).to.deep.equal([changed('tools')]);
      for (const { params } of stream.messages) expect(params._meta[SUBSCRIPTION_ID]).to.equal(ids[i]);
      stream.close();
    }
  });

  it('tells each stream what it asked for and no more, wherever it happened', async () => {
    const filters = [
      ...KINDS.map((kind) => ({ [`${kind}ListChanged`]: true })),
      { resourceSubscriptions: [URI] },
      { resourceSubscriptions: ['test://static-text'] },
      { toolsListChanged: true, resourceSubscriptions: [URI] },
    ];
    const streams = await Promise.all(filters.map((filter, i) => listen(fleet(), filter, { node: i % 3 })));
    for (const [i, kind] of KINDS.entries()) await callTool(fleet(), 'mutate', { kind }, { node: (i + 1) % 3 });
    await callTool(fleet(), 'touch', { uri: URI }, { node: 1 });
    await callTool(fleet(), 'touch', { uri: `${URI}/below` }, { node: 1 });
    await Promise.all(streams.map((stream) => flush(fleet(), stream)));
    const expected = [...KINDS.map((kind) => [changed(kind)]), [URI], [], [changed('tools'), URI]];
    expect(streams.map(toldOn)).to.deep.equal(expected);
    for (const stream of streams) {
      for (const { params } of stream.messages) expect(params._meta).to.have.property(SUBSCRIPTION_ID);
      for (const { id } of stream.events) expect(id, 'no stream of this era is resumed').to.equal(undefined);
      stream.close();
    }
  });

  it('carries no progress, no log line and no answer of a call, and a call carries no change', async () => {
    const filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    const streams = await Promise.all([0, 1, 2].map((node) => listen(fleet(), filter, { node, id: 7 })));
    const slow = { name: 'slow', arguments: { ms: 300, steps: 6 } };
    const meta = { progressToken: 7, 'io.modelcontextprotocol/logLevel': 'debug' };
    const call = await ask(fleet(), 'tools/call', slow, { node: 0, id: 7, meta });
    await call.waitFor(({ method }) => method === 'notifications/progress', 'progress');
    await callTool(fleet(), 'mutate', { kind: 'tools' }, { node: 0 });
    await call.untilEnd();
    for (const stream of streams) {
      await flush(fleet(), stream);
      expect(toldOn(stream)).to.deep.equal([changed('tools')]);
      expect(stream.messages.some(isResponse)).to.equal(false);
      stream.close();
    }
    const said = new Set(notificationsOf(call).map(({ method }) => method));
    expect([...said].sort()).to.deep.equal(['notifications/message', 'notifications/progress']);
    expect(call.messages.at(-1)).to.have.nested.property('result.resultType', 'complete');
  });

  it('cannot be resumed: an event id is no reason to tell anything again', async () => {
    const stream = await listen(fleet(), { toolsListChanged: true });
    await callTool(fleet(), 'mutate', { kind: 'tools' });
    await flush(fleet(), stream);
    stream.close();
    const again = await listen(fleet(), { toolsListChanged: true }, { headers: { 'Last-Event-ID': '1' } });
    await flush(fleet(), again);
    expect(toldOn(again)).to.deep.equal([]);
    again.close();
  });

  it('of the legacy era is another thing: 404 and -32601', async () => {
    for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
      await expectRpcError(await ask(fleet(), method, { uri: URI }), 404, -32601);
    }
  });
};
