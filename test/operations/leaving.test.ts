/** A node that is told to go: in which order it leaves, what it leaves behind, and how it ends at once. */
import { once } from 'node:events';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { callTool } from '../modern/modern-client.js';
import { ResumingCall } from '../streams/resuming-call.js';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { request, textOf } from '../support/json-rpc.js';
import { type NodeProcess, startNode } from '../support/node-process.js';
import { ACCEPT_BOTH, RawSession } from '../support/raw-client.js';
import { RawResponse, send } from '../support/raw-http.js';

const DRAIN_TIMEOUT_MS = 1000;
/** Much more than that. */
const LONG = { ms: 4000, steps: 8 };
/** Says nothing until it is over. */
const QUIET = { ms: 4000, steps: 1 };

describe('a node that leaves', () => {
  let fleet: Fleet;
  let leaving: NodeProcess;
  before(async () => {
    // Calls stay what they are, JSON or stream, until the end of the drain decides over them.
    const env = { NODE_LEASE_MS: '2000', STREAM_UPGRADE_MS: '60000', DRAIN_TIMEOUT_MS: `${DRAIN_TIMEOUT_MS}` };
    fleet = await startFleet({ nodes: 1, env });
  });
  beforeEach(async () => {
    leaving = await fleet.addNode();
  });
  afterEach(async () => {
    if (fleet.nodes.includes(leaving)) await fleet.retire(leaving);
  });
  after(() => fleet?.stop());

  const goes = async (): Promise<void> => {
    const gone = fleet.retire(leaving);
    await eventually(() => leaving.log.some(({ msg }) => msg === 'draining'));
    await gone;
  };

  it('first fails readiness and serves on, each answer ending its connection', async () => {
    await fleet.retire(leaving);
    const node = await fleet.addNode({ DRAIN_DELAY_MS: '1500' });
    const agent = new http.Agent({ keepAlive: true });
    const ask = async (path: string): Promise<[number | undefined, string | undefined]> => {
      const [answer] = (await once(http.get(`${node.url}${path}`, { agent }), 'response')) as [http.IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      return [answer.statusCode, answer.headers.connection];
    };
    expect(await ask('/readyz')).to.deep.equal([200, 'keep-alive']);
    const gone = fleet.retire(node);
    await eventually(async () => expect(await ask('/readyz')).to.deep.equal([503, 'close']));
    expect(await ask('/livez')).to.deep.equal([200, 'close']);
    const session = await RawSession.open({ url: node.url, nodeUrls: [node.url] });
    expect(textOf(await session.callTool('echo', { text: 'hi' }))).to.equal('hi');
    await gone;
    agent.destroy();
    await send(node.url).then(
      () => expect.fail('it still takes connections'),
      (error: NodeJS.ErrnoException) => expect(error.code).to.equal('ECONNREFUSED'),
    );
  });

  it('answers who was connected already and speaks only now', async () => {
    const body = JSON.stringify(request(1, 'ping'));
    const socket: Socket = connect(leaving.port, '127.0.0.1');
    await once(socket, 'connect');
    const session = await RawSession.open(fleet, { node: 0 });
    // Keeps the node until its connection has been heard.
    const call = await session.startTool('slow', { ms: 600, steps: 3 }, { node: 1, progressToken: 1 });
    const gone = fleet.retire(leaving);
    await eventually(async () =>
      send(`${leaving.url}/livez`).then(
        () => false,
        () => true,
      ),
    );
    const headers = Object.entries(session.headers({ 'Content-Type': 'application/json', Host: 'localhost' }));
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST /mcp HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer)
      .to.match(/^HTTP\/1\.1 200 OK\r\n/)
      .and.match(/\r\nConnection: close\r\n/i);
    expect(textOf(await call.answer())).to.equal('slow: 3 steps done');
    await gone;
  });

  it('ends main streams with a hint when to come back', async () => {
    const session = await RawSession.open(fleet, { node: 0 });
    const stream = await session.stream({ node: 1 });
    await goes();
    expect(await stream.untilEnd(), 'ended in order').to.equal(true);
    expect(stream.events.at(-1)?.retry).to.equal(1000);
  });

  it('hands over calls that are not finished, those that were no stream yet included', async () => {
    const session = await RawSession.open(fleet, { node: 0 });
    const body = request('quiet', 'tools/call', { name: 'slow', arguments: QUIET });
    const headers = session.headers({ 'Content-Type': 'application/json', Accept: ACCEPT_BOTH });
    const outgoing = http.request(`${leaving.url}/mcp`, { method: 'POST', agent: false, headers });
    outgoing.end(JSON.stringify(body));
    const streamed = new ResumingCall(await RawSession.open(fleet, { node: 0 }));
    await streamed.start(leaving.url, 'slow', LONG);
    await streamed.reaches(2);
    const answered = once(outgoing, 'response') as Promise<[http.IncomingMessage]>;
    const gone = goes();
    const quiet = new RawResponse(outgoing, (await answered)[0]);
    await gone;
    expect([quiet.status, await quiet.untilEnd()]).to.deep.equal([200, true]);
    const lastEventId = quiet.events.findLast(({ id }) => id !== undefined)?.id as string;
    const rest = await session.stream({ node: 0, lastEventId });
    const answer = await rest.waitFor(({ id }) => id === 'quiet', 'the answer');
    expect(textOf(answer)).to.equal('slow: 1 steps done');
    await streamed.resume(fleet.nodeUrls[0] as string);
    expect(textOf(await streamed.answer())).to.equal(`slow: ${LONG.steps} steps done`);
  });

  it('tells clients that could not come back, and those of 2026-07-28, to try again', async () => {
    const old = await RawSession.open(fleet, { node: 0, revision: '2025-03-26' });
    const untold = old.request('tools/call', { name: 'slow_count', arguments: QUIET }, { node: 1 });
    const modern = callTool(fleet, 'slow', QUIET, { node: 1 });
    // Both are being served when the node goes: the counter says so of the one, and a later call of the other.
    await eventually(async () => expect(Number(textOf(await old.callTool('count', {}, { node: 0 })))).to.be.above(1));
    await callTool(fleet, 'echo', {}, { node: 1 });
    await goes();
    expect((await untold).error?.data).to.deep.equal({ retryable: true, reason: 'node_lost' });
    expect((await modern).error?.message).to.match(/leaving/);
  });

  it('leaves no lease, no name and no inbox', async () => {
    const session = await RawSession.open(fleet, { capabilities: { elicitation: {} }, node: 0 });
    const asked = await session.startTool('ask_form', {}, { node: 1 });
    const question = await asked.asked('elicitation/create');
    const token = String(question.id).split('.')[0] as string;
    const keysOf = async (): Promise<string[]> => {
      const keys = await fleet.inspect.keys(`*${token}*`);
      return [...keys, ...(await fleet.inspect.keys(`node-name:${leaving.nodeId}`))];
    };
    expect(await keysOf()).to.include(`node:${token}`);
    await goes();
    await eventually(async () => {
      expect(await keysOf()).to.deep.equal([]);
      expect(await fleet.inspect.zScore('nodes', token)).to.equal(null);
    });
  });
});

describe('a signal', () => {
  it('that comes twice ends the node at once, and is told', async () => {
    for (const [first, second] of [
      ['SIGTERM', 'SIGINT'],
      ['SIGTERM', 'SIGTERM'],
    ] as const) {
      const node = await startNode({ DRAIN_DELAY_MS: '60000' });
      node.signal(first);
      await eventually(() => node.log.some(({ msg }) => msg === 'draining'));
      node.signal(second);
      expect(await node.exited).to.deep.equal({ code: 1, signal: null });
      expect(node.log.at(-1)).to.deep.include({ level: 'warn', signal: second });
      expect(node.log.at(-1)?.msg).to.match(/^second signal/);
    }
  });
});
