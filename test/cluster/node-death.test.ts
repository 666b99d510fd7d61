/** A node dies without a word, or all are replaced: sessions, streams and calls go on with those that live. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { type RpcMessage, request } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { type Exchange, RawSession } from '../support/raw-client.js';
import { postMessage, RawSseSession } from '../support/raw-sse-client.js';
import { flush, metricOf, probe, returned, startProbeFleet, untilRunning, updatesOf } from './probe-fleet.js';

/** Short, so that a death is noticed within the test; long enough that a busy machine is not taken for dead. */
const NODE_LEASE_MS = 2000;
const NOTICED_MS = NODE_LEASE_MS * 10;
const URI = 'test://survives';

describe('the death of a node', function () {
  this.timeout(60_000);
  let fleet: Fleet;
  before(async () => {
    fleet = await startProbeFleet({ env: { NODE_LEASE_MS: `${NODE_LEASE_MS}` } });
  });
  after(() => fleet?.stop());

  /** Kills the first node; the others move up, and a new one is put in its place when the test is over. */
  const killFirst = async (): Promise<void> => fleet.kill(fleet.nodes[0] as NodeProcess);
  afterEach(async () => {
    while (fleet.nodes.length < 3) await fleet.addNode();
  });

  const begin = async (session: RawSession, tool: string, key: string): Promise<[Exchange, string]> => {
    const call = await session.startTool(tool, { key }, { node: 0 });
    const first = await call.response.waitForEvent(({ id }) => id !== undefined, 'an event with an id');
    await untilRunning(session, key, { node: 1 });
    return [call, first.id ?? ''];
  };
  const answerOn = async (session: RawSession, call: Exchange, lastEventId: string): Promise<RpcMessage> => {
    const rest = await session.stream({ node: 1, lastEventId });
    return rest.waitFor((m) => m.id === call.requestId && m.method === undefined, 'the answer', NOTICED_MS);
  };

  it('costs the sessions it opened nothing', async () => {
    const session = await RawSession.open(fleet, { node: 0, capabilities: { elicitation: {} } });
    await probe(session, 'remember', { key: 'k', value: 'kept' }, { node: 0 });
    const dead = fleet.nodes[0]?.nodeId;
    await killFirst();
    for (let i = 0; i < 4; i++) {
      const self = await probe(session, 'self');
      expect([self.sessionId, self.nodeId === dead]).to.deep.equal([session.id, false]);
    }
    expect(await probe(session, 'recall', { key: 'k' })).to.deep.equal({ value: 'kept' });
  });

  it('leaves no ghost on the standalone stream: a new one on another node carries what comes and what was missed', async () => {
    const session = await RawSession.open(fleet);
    const missed = 'test://missed';
    for (const uri of [URI, missed]) await session.request('resources/subscribe', { uri });
    const stream = await session.stream({ node: 0 });
    await probe(session, 'touch', { uri: URI }, { node: 1 });
    await stream.waitFor(({ params }) => params?.uri === URI, 'the update');
    const lastEventId = stream.events.findLast(({ id }) => id !== undefined)?.id ?? '';
    await killFirst();
    expect(await stream.untilEnd(), 'the connection breaks').to.equal(false);
    await probe(session, 'touch', { uri: missed }, { node: 1 });
    const next = await session.stream({ node: 0, lastEventId });
    await next.waitFor(({ params }) => params?.uri === missed, 'what was missed');
    await flush(session, next);
    expect([updatesOf(next, URI).length, updatesOf(next, missed).length]).to.deep.equal([0, 1]);
    next.close();
  });

  it('has a call that may be repeated run again by a survivor, into the same stream', async () => {
    const session = await RawSession.open(fleet);
    const recovered = await metricOf(fleet, 'mcp_calls_recovered_total');
    const [call, lastEventId] = await begin(session, 'wait_repeatably', 'go');
    await killFirst();
    await eventually(async () => (await probe(session, 'recall', { key: 'go:started' })).value === 2, {
      what: 'the second run',
      deadlineMs: NOTICED_MS,
    });
    await probe(session, 'remember', { key: 'go', value: 'by a survivor' });
    expect(returned(await answerOn(session, call, lastEventId)).value).to.equal('by a survivor');
    expect((await probe(session, 'recall', { key: 'go:started' })).value, 'runs').to.equal(2);
    await eventually(async () => (await metricOf(fleet, 'mcp_calls_recovered_total')) > recovered);
  });

  it('ends a call that may not be repeated with an error that says whether to try again', async () => {
    const session = await RawSession.open(fleet);
    const [call, lastEventId] = await begin(session, 'wait_for', 'go');
    await killFirst();
    const answer = await answerOn(session, call, lastEventId);
    expect(answer.error?.code, JSON.stringify(answer)).to.be.a('number');
    expect(answer.error?.data).to.have.property('retryable').that.is.a('boolean');
    expect((await probe(session, 'recall', { key: 'go:started' })).value, 'runs').to.equal(1);
  });

  it('lets nobody wait for a question that it had asked: the answer is taken, the call ends', async () => {
    const session = await RawSession.open(fleet, { capabilities: { elicitation: {} } });
    const call = await session.startTool('ask', { messages: ['?'] }, { node: 0 });
    const question = await call.asked('elicitation/create');
    const lastEventId = call.response.events.findLast(({ id }) => id !== undefined)?.id ?? '';
    await killFirst();
    const late = { jsonrpc: '2.0', id: question.id, result: { action: 'decline' } };
    await session.accepted(late, { node: 0 });
    const answer = await answerOn(session, call, lastEventId);
    expect(answer.error ?? answer.result).to.be.an('object');
  });

  it('moves an HTTP+SSE session: 410 as soon as it is noticed, and the reconnect gets what was accepted', async () => {
    const session = await RawSseSession.open(fleet, { node: 0 });
    await killFirst();
    await session.stream.untilEnd();
    const accepted: number[] = [];
    await eventually(
      async () => {
        const id = accepted.length;
        const response = await postMessage(fleet, session.endpoint, request(id, 'ping'), { node: id % 2 });
        if (response.status === 202) accepted.push(id);
        else expect(response.status, await response.text()).to.equal(410);
        return response.status === 410;
      },
      { what: '410 Gone', deadlineMs: NOTICED_MS, intervalMs: 100 },
    );
    await session.reconnect({ node: 1 });
    for (const id of accepted) expect((await session.answerTo(id)).result).to.deep.equal({});
    expect((await session.request('ping', {}, { node: 0 })).result).to.deep.equal({});
    session.stream.close();
  });
});

describe('the replacement of nodes', function () {
  this.timeout(60_000);
  let fleet: Fleet;
  before(async () => {
    // What the balancer had given to a node before it took it away must still be served there.
    fleet = await startProbeFleet({ env: { DRAIN_DELAY_MS: '250' } });
  });
  after(() => fleet?.stop());

  it('keeps everything a session is, even when all nodes are new', async () => {
    const capabilities = { elicitation: {}, sampling: {} };
    const session = await RawSession.open(fleet, { revision: '2025-06-18', capabilities });
    await session.request('logging/setLevel', { level: 'alert' });
    await session.request('resources/subscribe', { uri: URI });
    await probe(session, 'remember', { key: 'k', value: [1, 2] });
    const old = new Set(fleet.nodes.map(({ nodeId }) => nodeId));

    await fleet.restart();
    const self = await probe(session, 'self');
    expect(old.has(self.nodeId)).to.equal(false);
    expect(self.capabilities).to.include.keys('elicitation', 'sampling').and.not.include.keys('roots');
    expect(self.client.name).to.equal('raw-client');
    expect(await probe(session, 'recall', { key: 'k' })).to.deep.equal({ value: [1, 2] });
    const logs = await session.startTool('log_levels', {});
    await logs.answer();
    const lines = logs.response.messages.filter(({ method }) => method === 'notifications/message');
    expect(lines.map(({ params }) => params.level)).to.deep.equal(['alert', 'emergency']);
    // A session of 2025-06-18 knows no batches, whatever the header says: the revision came along.
    const batch = await session.post([request(1, 'ping')]);
    expect(batch.status, await batch.text()).to.equal(400);

    const stream = await session.stream({ node: 1 });
    await probe(session, 'touch', { uri: URI }, { node: 2 });
    await stream.waitFor(({ params }) => params?.uri === URI, 'the update');
    stream.close();
    const call = await session.startTool('ask', { messages: ['?'] }, { node: 0 });
    const result = { action: 'accept', content: { word: 'after the restart' } };
    await session.reply(await call.asked('elicitation/create'), { result }, { node: 1 });
    expect(returned(await call.answer())[0].content.word).to.equal('after the restart');
  });

  it('one by one loses no request', async () => {
    const session = await RawSession.open(fleet);
    let running = true;
    let served = 0;
    const traffic = (async () => {
      for (; running; served++) expect(await probe(session, 'add', { key: 'n' })).to.equal(served + 1);
    })();
    traffic.catch(() => {});
    for (const old of [...fleet.nodes]) {
      await fleet.addNode();
      await fleet.retire(old);
    }
    running = false;
    await traffic;
    expect(served).to.be.greaterThan(3);
  });
});
