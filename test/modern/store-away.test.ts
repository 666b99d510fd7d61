/** The modern era while the store is away, and what nodes that were cut off owe to their subscriptions afterwards. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { textOf } from '../support/json-rpc.js';
import { type NodeProcess, startNode } from '../support/node-process.js';
import type { RawResponse } from '../support/raw-http.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { flush, LISTEN, listen, toldOn } from './listening.js';
import { ASKABLE, ask, callTool } from './modern-client.js';
import { nodeAt } from './modern-suite.js';
import { round } from './rounds.js';

/** Two seconds are promised; the rest is for a busy machine. */
const IN_TIME_MS = 2500;
/** How long changes are kept: shorter than a node that stands still here. */
const STREAM_TTL_MS = 1000;
/** Longer than the pause between two looks that a node takes by itself. */
const NOTICED_MS = 7000;

const URI = 'test://watched-resource';
const TOOLS_CHANGED = 'notifications/tools/list_changed';
const FILTER = { toolsListChanged: true, resourceSubscriptions: [URI] };
const answers = { name: { action: 'accept', content: { name: 'Ada' } } };

describe('subscriptions and rounds over a store that comes and goes', () => {
  let redis: RedisServer;
  let fleet: Fleet;
  let streams: RawResponse[];
  before(async () => {
    redis = await startRedis();
    // The lease outlasts every trial: it is not about nodes that are taken for dead.
    const env = { STREAM_TTL_MS: `${STREAM_TTL_MS}`, NODE_LEASE_MS: '60000' };
    fleet = await startFleet({ nodes: 3, redis, env });
    streams = await Promise.all([0, 1, 2].map((node) => listen(fleet, FILTER, { node })));
  });
  after(async () => {
    for (const stream of streams ?? []) stream.close();
    await fleet?.stop();
    await redis?.stop();
  });

  const untilBack = (): Promise<unknown> =>
    Promise.all(
      fleet.nodeUrls.map((url) => eventually(async () => expect((await fetch(`${url}/readyz`)).status).to.equal(200))),
    );

  it('away, it costs subscriptions and states whose key is not at hand 503, and nothing else', async () => {
    // Nodes 0 and 1 have fetched the key before; node 2 has had no use for it.
    const first = await round(fleet, undefined, {}, { node: 0 });
    const second = await round(fleet, first, answers, { node: 1 });
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const unavailable = async (asked: Promise<RawResponse>): Promise<void> => {
        const since = Date.now();
        const response = await asked;
        await expectRpcError(response, 503);
        expect(Number(response.headers['retry-after'])).to.be.greaterThan(0);
        expect(Date.now() - since).to.be.lessThan(IN_TIME_MS);
      };
      const call = { name: 'ask_two_rounds', arguments: {} };
      const state = { ...call, requestState: first.result.requestState, inputResponses: answers };
      for (const node of [0, 1, 2]) {
        await unavailable(ask(fleet, LISTEN, { notifications: FILTER }, { node }));
        expect(textOf(await callTool(fleet, 'echo', { text: 'hi' }, { node }))).to.equal('hi');
        expect((await (await ask(fleet, 'tools/list', {}, { node })).json()).result.tools).to.not.deep.equal([]);
      }
      for (const params of [call, state]) {
        await unavailable(ask(fleet, 'tools/call', params, { node: 2, capabilities: ASKABLE }));
      }
      const color = { color: { action: 'accept', content: { color: 'blue' } } };
      expect(textOf(await round(fleet, second, color, { node: 0 }))).to.equal('Ada likes blue.');
      const announced = await callTool(fleet, 'touch', { uri: URI });
      expect(announced.result?.isError ?? announced.error !== undefined, 'what was not stored').to.equal(true);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });

  it('back, it serves the subscriptions that are open as before', async () => {
    await untilBack();
    for (const stream of streams) {
      const told = toldOn(stream).length;
      await callTool(fleet, 'mutate', { kind: 'tools' });
      await flush(fleet, stream);
      expect(toldOn(stream).slice(told)).to.include(TOOLS_CHANGED);
      expect(stream.isOver).to.equal(false);
    }
  });

  it('back without anything it knew, it serves them too', async () => {
    await redis.stop();
    redis = await startRedis({ port: redis.port });
    await untilBack();
    for (const stream of streams) {
      const told = toldOn(stream).length;
      await callTool(fleet, 'mutate', { kind: 'tools' });
      await flush(fleet, stream);
      // Perhaps twice: who has lost the history of changes says once that anything may have changed.
      expect(toldOn(stream).slice(told)).to.include(TOOLS_CHANGED);
    }
  });

  it('a node that was deaf for longer than changes are kept says that they may have been, or ends its streams', async () => {
    const [stream] = streams as [RawResponse];
    const node = nodeAt(fleet, 0);
    const told = toldOn(stream).length;
    node.signal('SIGSTOP');
    try {
      await fleet.inspect.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await callTool(fleet, 'mutate', { kind: 'tools' }, { node: 1 });
      await pause(1.5 * STREAM_TTL_MS);
    } finally {
      node.signal('SIGCONT');
    }
    await eventually(() => stream.isOver || toldOn(stream).slice(told).includes(TOOLS_CHANGED), {
      what: 'the change, or the end of the stream',
      deadlineMs: NOTICED_MS,
    });
  });
});

describe('a node that was there before its store', () => {
  let redis: RedisServer;
  let node: NodeProcess;
  after(async () => {
    await node?.stop();
    await redis?.stop();
  });

  it('keeps what it promises from the first subscription on', async () => {
    const { port, url, stop } = await startRedis();
    await stop();
    node = await startNode({ REDIS_URL: url, MCP_SERVER: 'everything', DRAIN_DELAY_MS: '0' });
    const target = { url: node.url, nodeUrls: [node.url] };
    await expectRpcError(await ask(target, LISTEN, { notifications: FILTER }), 503);
    redis = await startRedis({ port });
    const stream = await eventually(() => listen(target, FILTER));
    await callTool(target, 'touch', { uri: URI });
    await stream.waitFor(({ params }) => params?.uri === URI, 'the change right behind it', NOTICED_MS);
    stream.close();
  });
});
