/**
 * The store goes away in every way there is, one after the other, under the same two processes: what needs it is refused
 * in time and honestly, nothing that was acknowledged is missing afterwards, what was open goes on, and nothing piles up.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { flush, listen, toldOn } from '../modern/listening.js';
import { callTool } from '../modern/modern-client.js';
import { round } from '../modern/rounds.js';
import { Follower } from '../streams/follower.js';
import { ResumingCall } from '../streams/resuming-call.js';
import { size, tell } from '../streams/scale.js';
import { upTo } from '../streams/stream-suite.js';
import { eventually } from '../support/eventually.js';
import { textOf } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';
import { Siege } from './besiegers.js';
import { type Stage, setStage } from './stage.js';

/** How long an outage lasts once its first moment has passed; the one that is the measure of all lasts longer. */
const HELD_MS = size(800, 10_000);
const LONG_HELD_MS = 10_000;
/** Three seconds are promised; the rest is for a busy machine. */
const READY_MS = 3500;
/** Lines that one outage may cost a node at `info`, however much is asked of it and however long it lasts. */
const LINES = 12;

const NODE_LEASE_MS = 2000;
const URI = 'test://outage';
const FORM = (content: object) => ({ action: 'accept', content });

interface Outage {
  begin(stage: Stage): Promise<unknown>;
  end(stage: Stage): Promise<unknown>;
  readonly heldMs?: number;
  /** What `/readyz` says of it. */
  readonly reason: RegExp;
}

const AWAY = /out of reach|in time/;

const OUTAGES: Readonly<Record<string, Outage>> = {
  'is slower than it may be': {
    begin: async ({ line }) => {
      line.delayMs = 1200;
    },
    end: async ({ line }) => {
      line.delayMs = 0;
    },
    reason: AWAY,
  },
  'does not answer on open connections': {
    begin: async ({ redisPid }) => process.kill(redisPid, 'SIGSTOP'),
    end: async ({ redisPid }) => process.kill(redisPid, 'SIGCONT'),
    reason: AWAY,
  },
  'is behind connections that are lost without a word': {
    begin: async ({ line }) => line.lose(),
    end: async ({ line }) => line.find(),
    reason: AWAY,
  },
  'is out of memory': {
    begin: ({ command }) => command('CONFIG', 'SET', 'maxmemory', '1'),
    end: ({ command }) => command('CONFIG', 'SET', 'maxmemory', '0'),
    reason: /OOM/,
  },
  'takes no writes, as a replica': {
    begin: ({ command }) => command('REPLICAOF', '127.0.0.1', '1'),
    end: ({ command }) => command('REPLICAOF', 'NO', 'ONE'),
    reason: /READONLY/,
  },
  'has a name that resolves no more': {
    begin: async ({ forgetName, line }) => {
      await forgetName();
      line.cut();
    },
    end: ({ rememberName }) => rememberName(),
    reason: AWAY,
  },
  'is killed, and comes back with its data': {
    begin: ({ killRedis }) => killRedis(),
    end: ({ startRedisAgain }) => startRedisAgain({ keepsData: true }),
    heldMs: LONG_HELD_MS,
    reason: AWAY,
  },
};

describe('a fleet whose store', () => {
  let stage: Stage;
  let session: RawSession;
  let main: Follower;
  let subscription: RawResponse;
  let counted = 0;
  let handlesBefore: number[];
  before(async () => {
    stage = await setStage({ NODE_LEASE_MS: `${NODE_LEASE_MS}` });
    session = await RawSession.open(stage, { capabilities: { elicitation: {} } });
    await session.request('resources/subscribe', { uri: URI });
    handlesBefore = await gauges('nodejs_active_handles_total');
    main = await Follower.get(session, stage.nodeUrls[0] as string);
    subscription = await listen(stage, { toolsListChanged: true }, { node: 1 });
  });
  after(async () => {
    main?.close();
    subscription?.close();
    await stage?.stop();
  });

  const gauges = (name: string): Promise<number[]> =>
    Promise.all(
      stage.nodeUrls.map(async (url) => {
        const text = await (await fetch(`${url}/metrics`)).text();
        return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
      }),
    );

  const health = async (url: string) => {
    const response = await fetch(`${url}/readyz`);
    // biome-ignore lint/suspicious/noExplicitAny: each sentence reads what it asserts.
    return { status: response.status, body: (await response.json()) as any };
  };

  const count = async (node: number): Promise<void> => {
    counted += 1;
    expect(textOf(await session.callTool('count', {}, { node }))).to.equal(`${counted}`);
  };

  const linesOf = (): number[] => stage.nodes.map(({ log }) => log.length);

  /** Both nodes say so within the time, which is returned. */
  const untilReady = async (): Promise<number> => {
    const since = performance.now();
    for (const url of stage.nodeUrls) {
      await eventually(async () => expect(await health(url)).to.have.property('status', 200));
    }
    return Math.round(performance.now() - since);
  };

  it('answers slowly, but in time, serves all the same', async () => {
    stage.line.delayMs = 300;
    try {
      for (const node of [0, 1]) await count(node);
      for (const url of stage.nodeUrls) expect((await health(url)).status).to.equal(200);
    } finally {
      stage.line.delayMs = 0;
    }
  });

  for (const [what, outage] of Object.entries(OUTAGES)) {
    it(`${what} is refused for, then goes on with everything`, async () => {
      const names = await Promise.all(stage.nodeUrls.map(async (url) => (await health(url)).body));
      const lines = linesOf();
      const call = new ResumingCall(session);
      const steps = 20;
      const heldMs = outage.heldMs ?? HELD_MS;
      await call.start(stage.nodeUrls[1] as string, 'slow', { ms: heldMs + 1000, steps });
      await call.reaches(2);
      const asked = await session.startTool('ask_form', {}, { node: 1 });
      const question = await asked.asked('elicitation/create');
      const first = await round(stage, undefined, {}, { node: 0 });
      await count(0);

      await outage.begin(stage);
      const siege = Siege.begin(stage, session);
      try {
        await pause(heldMs);
        for (const url of stage.nodeUrls) {
          const { status, body } = await health(url);
          expect([status, body.status, body.checks.store.status]).to.deep.equal([503, 'unhealthy', 'down']);
          expect(body.checks.store.reason).to.match(outage.reason);
        }
      } finally {
        await siege.end();
        await outage.end(stage);
      }
      const readyMs = await untilReady();
      expect(siege.faults).to.deep.equal([]);
      expect(siege.answers, 'answers').to.be.at.least(2 * siege.kinds);
      expect(readyMs, 'ms until both are ready').to.be.below(READY_MS);

      // What was acknowledged is there, and what was refused was not done.
      await count(1);
      expect(textOf(await round(stage, first, { name: FORM({ name: 'Ada' }) }, { node: 1 }).then(last))).to.match(
        /Ada/,
      );
      // What waited goes on: an answer by the other node, a call that ran through it all, streams that stayed open.
      await session.reply(question, { result: { action: 'accept', content: { colour: 'blue' } } }, { node: 0 });
      expect(textOf(await asked.answer())).to.match(/blue/);
      expect(textOf(await call.answer())).to.equal(`slow: ${steps} steps done`);
      expect(call.progress).to.deep.equal(upTo(steps).map((step) => step + 1));
      call.expectNoRepetition();
      const heard = main.messages.length;
      await session.callTool('touch', { uri: URI }, { node: 1 });
      await main.until(() => main.messages.slice(heard).some(({ params }) => params?.uri === URI), 'the change');
      const told = toldOn(subscription).length;
      await callTool(stage, 'mutate', { kind: 'tools' }, { node: 0 });
      await flush(stage, subscription, 0);
      expect(toldOn(subscription).slice(told)).to.include('notifications/tools/list_changed');
      // The nodes are who they were, and the sessions are there.
      for (const [i, url] of stage.nodeUrls.entries()) {
        const { body } = await health(url);
        expect(body.nodeId).to.equal(names[i].nodeId);
        // More where a handshake was given up by its deadline and carried out all the same: nobody knows its session.
        expect(body.activeSessions).to.be.at.least(names[i].activeSessions);
        expect(await stage.command('EXISTS', `node-name:${body.nodeId}`)).to.equal(1);
      }
      const costs = linesOf().map((now, i) => now - (lines[i] as number));
      tell(`${siege.answers} requests, ready after ${readyMs} ms, ${costs} lines of log`);
      expect(Math.max(...costs), JSON.stringify(stage.nodes.map(({ log }, i) => log.slice(lines[i])))).to.be.below(
        LINES,
      );
    }).timeout(120_000);
  }

  const last = async (message: Awaited<ReturnType<typeof round>>) =>
    round(stage, message, { color: FORM({ color: 'blue' }) }, { node: 0 });

  it('is killed, and comes back empty, knows no session then, and only then', async () => {
    const first = await round(stage, undefined, {}, { node: 0 });
    await stage.killRedis();
    const siege = Siege.begin(stage, session);
    await pause(HELD_MS);
    await siege.end();
    await stage.startRedisAgain({ keepsData: false });
    const readyMs = await untilReady();
    expect(siege.faults).to.deep.equal([]);
    expect(readyMs).to.be.below(READY_MS);
    for (const node of [0, 1]) expect(await session.status({ node })).to.equal(404);
    expect((await health(stage.url)).body.activeSessions).to.equal(0);
    expect(await main.ended, 'its main stream ends in order').to.equal(true);
    const next = await RawSession.open(stage, { node: 0 });
    expect(textOf(await next.callTool('count', {}, { node: 1 }))).to.equal('1');
    expect((await health(stage.url)).body.activeSessions).to.equal(1);
    expect(textOf(await round(stage, first, { name: FORM({ name: 'Ada' }) }, { node: 1 }).then(last))).to.match(/Ada/);
    const told = toldOn(subscription).length;
    await callTool(stage, 'mutate', { kind: 'tools' }, { node: 0 });
    await flush(stage, subscription, 0);
    expect(toldOn(subscription).slice(told)).to.include('notifications/tools/list_changed');
    expect((await next.delete()).status).to.equal(200);
  }).timeout(60_000);

  it('has been away that often has left nothing behind in the nodes', async () => {
    main.close();
    subscription.close();
    await eventually(async () => {
      const handles = await gauges('nodejs_active_handles_total');
      handles.forEach((now, i) => {
        expect(now, 'open handles').to.be.at.most((handlesBefore[i] as number) + 2);
      });
    });
    expect(await gauges('mcp_streams_open')).to.deep.equal([0, 0]);
    for (const { log } of stage.nodes) {
      expect(log.filter(({ msg }) => /^unhandled|^uncaught|failed$/.test(msg ?? ''))).to.deep.equal([]);
    }
  });
});

describe('a fleet that is there before its store', () => {
  let stage: Stage;
  before(async () => {
    stage = await setStage({}, { redis: false });
  });
  after(() => stage?.stop());

  it('lives, is not ready, and is ready by itself when that comes', async () => {
    for (const url of stage.nodeUrls) {
      expect((await fetch(`${url}/livez`)).status).to.equal(200);
      expect((await fetch(`${url}/readyz`)).status).to.equal(503);
    }
    await stage.startRedisAgain({ keepsData: false });
    const since = performance.now();
    for (const url of stage.nodeUrls) {
      await eventually(async () => expect((await fetch(`${url}/readyz`)).status).to.equal(200));
    }
    expect(performance.now() - since, 'ms until both are ready').to.be.below(READY_MS);
    const session = await RawSession.open(stage, { node: 0 });
    const asked = await session.startTool('slow', { ms: 400, steps: 4 }, { node: 1, progressToken: 1 });
    expect(textOf(await asked.answer())).to.equal('slow: 4 steps done');
  });
});
