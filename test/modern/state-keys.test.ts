/** The keys that sign states: one for the fleet, made by whoever needs it first, or changed by its operator in full use. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { size, tell } from '../streams/scale.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { type RpcMessage, textOf } from '../support/json-rpc.js';
import { runToExit } from '../support/node-process.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import type { ModernOptions } from './modern-client.js';
import { inTurns, nodeAt } from './modern-suite.js';
import { round } from './rounds.js';

const OLD = 'the-old-secret-of-thirty-two-bytes-and-more';
const NEW = 'the-new-secret-of-thirty-two-bytes-and-more';
const NODES = size(2, 3);
/** Calls under way at any time while nodes are replaced. */
const CALLERS = size(4, 12);
/** Between two rounds of a call: as long as a hasty user. */
const THINKING_MS = 100;

const form = (content: object) => ({ action: 'accept', content });
const second = (fleet: Fleet, first: RpcMessage, options: ModernOptions = {}) =>
  round(fleet, first, { name: form({ name: 'Ada' }) }, options);
const third = (fleet: Fleet, last: RpcMessage) => round(fleet, last, { color: form({ color: 'blue' }) });

/** Begins on one node and goes on on another. */
async function expectShared(fleet: Fleet, from: number, to: number): Promise<void> {
  const first = await round(fleet, undefined, {}, { node: from });
  const next = await second(fleet, first, { node: to });
  expect(next.error, `from node ${from} to node ${to}`).to.equal(undefined);
}

describe('the key of states that nobody has set', () => {
  let redis: RedisServer;
  let fleet: Fleet;
  before(async () => {
    redis = await startRedis();
    fleet = await startFleet({ nodes: 2, redis });
  });
  after(async () => {
    await fleet?.stop();
    await redis?.stop();
  });

  const everyPair = async (): Promise<void> => {
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const)
      await expectShared(fleet, from, to);
  };

  it('is one, though all nodes need it for the first time at the same time', async () => {
    expect(await fleet.inspect.keys('*secret*')).to.deep.equal([]);
    const firsts = await Promise.all([0, 1].map((node) => round(fleet, undefined, {}, { node })));
    for (const [i, first] of firsts.entries()) {
      const next = await second(fleet, first, { node: 1 - i });
      expect(next.error).to.equal(undefined);
    }
    const keys = await fleet.inspect.keys('*secret*');
    expect(keys).to.have.lengthOf(1);
    expect(await fleet.inspect.pTTL(keys[0] as string)).to.be.greaterThan(0);
  });

  it('is known to a node that comes later', async () => {
    await fleet.addNode();
    await everyPair();
  });

  it('is one again when the store has lost it and a node was replaced', async () => {
    await redis.stop();
    redis = await startRedis({ port: redis.port });
    await fleet.retire(nodeAt(fleet, 2));
    await fleet.addNode();
    await everyPair();
  });
});

describe('the secrets of states', () => {
  let redis: RedisServer;
  let fleet: Fleet;
  before(async () => {
    redis = await startRedis();
    fleet = await startFleet({ nodes: NODES, redis, env: { STATE_SECRETS: OLD } });
  });
  after(async () => {
    await fleet?.stop();
    await redis?.stop();
  });

  /** Replaces every node, one at a time, the new one first. What each of them has begun is ended by the new ones. */
  const roll = async (secrets: string): Promise<void> => {
    const begun = await Promise.all(fleet.nodes.map((_, node) => round(fleet, undefined, {}, { node })));
    for (const node of [...fleet.nodes]) {
      await fleet.addNode({ STATE_SECRETS: secrets });
      await fleet.retire(node);
    }
    for (const first of begun) expect(textOf(await third(fleet, await second(fleet, first)))).to.include('Ada');
  };

  it('are changed in full use: new behind old, new before old, new alone, and no round fails', async () => {
    let over = false;
    let calls = 0;
    const callers = inTurns(CALLERS, CALLERS, async (caller) => {
      await pause(THINKING_MS * (caller / CALLERS));
      while (!over) {
        const first = await round(fleet, undefined, {});
        await pause(THINKING_MS);
        const last = await second(fleet, first);
        expect(last.error, 'second round').to.equal(undefined);
        await pause(THINKING_MS);
        expect(textOf(await third(fleet, last))).to.equal('Ada likes blue.');
        calls += 1;
      }
    });
    const rolled = (async () => {
      for (const secrets of [`${OLD},${NEW}`, `${NEW},${OLD}`]) await roll(secrets);
      // The old one is taken away when no state can be under way that it has signed.
      await pause(3 * THINKING_MS);
      await roll(NEW);
    })().finally(() => {
      over = true;
    });
    await Promise.all([rolled, callers]);
    tell(`${calls} calls, ${2 * calls} rounds handed on, while ${3 * NODES} nodes were replaced`);
    expect(calls).to.be.greaterThan(CALLERS);
  });

  it('leave nothing in the store', async () => {
    expect(await fleet.inspect.keys('*secret*')).to.deep.equal([]);
  });

  it('are refused when one is too short: exit code 78, one line that does not show it', async () => {
    const short = 'only-thirty-one-bytes-of-secret';
    const { code, raw, log } = await runToExit({ STATE_SECRETS: `${OLD},${short}` });
    expect(code, raw.join('\n')).to.equal(78);
    const lines = raw.filter((line) => line.includes('STATE_SECRETS'));
    expect(lines).to.have.lengthOf(1);
    expect(lines[0]).to.include('32 bytes');
    expect(raw.join('\n')).to.not.include(short).and.not.include(OLD);
    expect(log.some(({ msg }) => msg === 'listening')).to.equal(false);
  });
});
