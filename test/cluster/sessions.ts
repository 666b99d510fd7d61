/** A session is the fleet's, not a node's: every node serves it, and its end is everywhere at once. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectSessionNotFound } from '../support/expectations.js';
import { request } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { type ClusterSuite, keysOf, probe, untilRunning } from './probe-fleet.js';

const NODES = [0, 1, 2];

export const sessions: ClusterSuite = (fleet) => {
  it('are served by every node, which knows the client as if it had met it', async () => {
    const capabilities = { elicitation: {}, roots: { listChanged: true } };
    const session = await RawSession.open(fleet(), { node: 0, capabilities });
    for (const node of NODES) {
      const self = await probe(session, 'self', {}, { node });
      expect(self.nodeId).to.equal(fleet().nodes[node]?.nodeId);
      expect(self.sessionId).to.equal(session.id);
      expect(self.capabilities.roots).to.deep.equal({ listChanged: true });
      expect(self.capabilities).to.include.keys('elicitation').and.not.include.keys('sampling');
      expect(self.client).to.deep.include({ name: 'raw-client', version: '1.2.3' });
    }
  });

  it('hop with every request that goes through the balancer', async () => {
    const session = await RawSession.open(fleet());
    const answered: string[] = [];
    for (let i = 0; i < 6; i++) answered.push((await probe(session, 'self')).nodeId);
    expect(new Set(answered.slice(0, 3)).size).to.equal(3);
    expect(answered.slice(3)).to.deep.equal(answered.slice(0, 3));
  });

  it('opened on two nodes at once are two', async () => {
    const [a, b] = await Promise.all([RawSession.open(fleet(), { node: 0 }), RawSession.open(fleet(), { node: 1 })]);
    expect(a.id).to.not.equal(b.id);
    await probe(a, 'remember', { key: 'mine', value: 'a' }, { node: 2 });
    expect(await probe(b, 'recall', { key: 'mine' }, { node: 2 })).to.deep.equal({});
  });

  it('keep what a handler remembers for all nodes', async () => {
    const session = await RawSession.open(fleet());
    const value = { text: 'äöü\u2028', list: [1, null, { deep: true }], number: 0.1 };
    await probe(session, 'remember', { key: 'k', value }, { node: 0 });
    for (const node of NODES) expect(await probe(session, 'recall', { key: 'k' }, { node })).to.deep.equal({ value });
  });

  it('count exactly, however many nodes count at once', async () => {
    const session = await RawSession.open(fleet());
    const counts = await Promise.all(
      Array.from({ length: 45 }, (_, i) => probe(session, 'add', { key: 'n' }, { node: i % 3 })),
    );
    expect(counts.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 45 }, (_, i) => i + 1));
  });

  it('can be read in Redis by an operator', async () => {
    const session = await RawSession.open(fleet(), { revision: '2025-06-18' });
    await probe(session, 'self');
    const hash = await fleet().inspect.hGetAll(`session:${session.id}`);
    expect(hash.sessionId).to.equal(session.id);
    expect(hash.transportType).to.equal('streamable');
    expect(hash.protocolVersion).to.equal('2025-06-18');
    expect(JSON.parse(hash.clientInfo ?? '')).to.deep.equal({ name: 'raw-client', version: '1.2.3' });
    for (const time of [hash.createdAt, hash.lastActive]) expect(Date.now() - Number(time)).to.be.within(-5000, 60_000);
    expect(await fleet().inspect.ttl(`session:${session.id}`)).to.be.within(1, 1800);
  });

  it('keep all their keys in one slot, and no key of the fleet lives for ever', async () => {
    const session = await RawSession.open(fleet());
    const stream = await session.stream({ node: 1 });
    await probe(session, 'remember', { key: 'k', value: 1 });
    await session.request('resources/subscribe', { uri: 'test://x' });
    const call = await session.startTool('wait_for', { key: 'go' }, { node: 2 });
    const name = `session:${session.id}`;
    const keys = await keysOf(fleet(), session.id);
    expect(keys).to.include(name);
    for (const key of keys) if (key !== name) expect(key).to.include(`{${name}}`);
    for (const key of await fleet().inspect.keys('*')) expect(await fleet().inspect.pTTL(key), key).to.not.equal(-1);
    await probe(session, 'remember', { key: 'go', value: 1 });
    await call.answer();
    stream.close();
  });

  it('end on every node with the DELETE on one: 404 at once, streams closed within a second, nothing left', async () => {
    const session = await RawSession.open(fleet(), { node: 0 });
    const stream = await session.stream({ node: 1 });
    const call = await session.startTool('wait_for', { key: 'never' }, { node: 2 });
    await untilRunning(session, 'never');

    const response = await session.delete({ node: 0 });
    const deletedAt = Date.now();
    expect(response.status, await response.text()).to.be.within(200, 299);
    const after = await Promise.all(NODES.map((node) => session.post(request(1, 'ping'), { node })));
    for (const answer of after) await expectSessionNotFound(answer, 1);
    await Promise.all([stream.untilEnd(), call.response.untilEnd()]);
    // A second, and what a busy machine adds to it.
    expect(Date.now() - deletedAt).to.be.lessThan(1500);
    await eventually(async () => expect(await keysOf(fleet(), session.id)).to.deep.equal([]));
  });

  it('do not come back by what a call does after their end', async () => {
    const session = await RawSession.open(fleet(), { node: 0 });
    const calls = await Promise.all(
      NODES.map((node) => session.startTool('pause', { ms: 900 }, { node, progressToken: node })),
    );
    await (await session.delete({ node: 0 })).text();
    await Promise.all(calls.map((call) => call.response.untilEnd()));
    // The barrier: a later call of the same length on every node has run to its end.
    const other = await RawSession.open(fleet());
    await Promise.all(NODES.map((node) => probe(other, 'pause', { ms: 900 }, { node })));
    expect(await keysOf(fleet(), session.id)).to.deep.equal([]);
    for (const node of NODES) expect(await session.status({ node })).to.equal(404);
  });

  it('are deleted once: of many DELETEs one is 2xx, the others find nothing', async () => {
    const session = await RawSession.open(fleet());
    const responses = await Promise.all(NODES.flatMap((node) => [session.delete({ node }), session.delete({ node })]));
    await Promise.all(responses.map((response) => response.text()));
    const statuses = responses.map(({ status }) => status);
    expect(statuses.filter((status) => status >= 200 && status < 300)).to.have.lengthOf(1);
    expect(statuses.filter((status) => status === 404)).to.have.lengthOf(5);
  });

  it('of one client know nothing of each other', async () => {
    const [a, b] = await Promise.all([RawSession.open(fleet()), RawSession.open(fleet())]);
    await a.request('logging/setLevel', { level: 'emergency' }, { node: 0 });
    await a.request('resources/subscribe', { uri: 'test://a' }, { node: 0 });
    const id = randomUUID();
    const call = await b.startTool('log_levels', {}, { node: 1, id });
    await call.answer();
    expect(call.response.messages.filter(({ method }) => method === 'notifications/message')).to.have.lengthOf(8);
  });
};
