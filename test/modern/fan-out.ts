/**
 * Many subscriptions on all nodes, changes from all nodes: each stream is told of each change once, in the one order of
 * the fleet, also while the hints that carry them are cut off.
 */
import { expect } from 'chai';
import { Chance } from '../streams/chance.js';
import { Follower } from '../streams/follower.js';
import { quantile, size, tell } from '../streams/scale.js';
import type { Fleet } from '../support/fleet.js';
import { ACCEPT_BOTH } from '../support/raw-client.js';
import { isAcknowledgement, LISTEN, listen } from './listening.js';
import { body, callTool, modernHeaders } from './modern-client.js';
import { inTurns, type ModernSuite, nodesOf } from './modern-suite.js';

const STREAMS = size(60, 300);
const CHANGES = size(60, 1000);
/** Changes made at the same time. */
const AT_ONCE = 4;
/** How often the hints of all nodes are cut off while changes are made. */
const CUTS = size(3, 20);
const ACKNOWLEDGED = 100;
/** For a busy machine; a lost hint would cost 5 s. */
const SLOWEST_MS = 4000;
const DEADLINE_MS = 30_000;

const uriOf = (change: number): string => `test://fan-out/${change}`;
const URIS = Array.from({ length: CHANGES }, (_, change) => uriOf(change));
/** Barrier: the fleet has one order of changes, so whatever comes of the others has come before this one. */
const END = 'test://fan-out/end';

function openStream(fleet: Fleet): Promise<Follower> {
  const params = { notifications: { resourceSubscriptions: [...URIS, END] } };
  return Follower.open(`${fleet.url}/mcp`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH, ...modernHeaders(LISTEN, params) },
    body: JSON.stringify(body(LISTEN, params)),
  });
}

/** Opens the streams, makes the changes, and returns what each stream was told of, with how long each took. */
async function run(fleet: Fleet, chance: Chance, harm: (change: number) => Promise<unknown>) {
  const streams = await inTurns(STREAMS, 20, () => openStream(fleet));
  await Promise.all(streams.map((stream) => stream.until(() => stream.messages.some(isAcknowledgement), 'the ack')));
  const sentAt = new Map<string, number>();
  try {
    await inTurns(CHANGES, AT_ONCE, async (change) => {
      await harm(change);
      sentAt.set(uriOf(change), performance.now());
      const touched = await callTool(fleet, 'touch', { uri: uriOf(change) }, { node: chance.pick(nodesOf(fleet)) });
      // Refused is not lost: that would be another fault, and is called by its name.
      expect(touched.error ?? touched.result?.isError, JSON.stringify(touched)).to.be.oneOf([undefined, false]);
    });
    await callTool(fleet, 'touch', { uri: END });
    const ended = (stream: Follower) => () => stream.received.at(-1)?.message?.params.uri === END;
    await Promise.all(streams.map((stream) => stream.until(ended(stream), 'all changes', DEADLINE_MS)));
    const heard = streams.map((stream) => stream.received.slice(1, -1));
    const latencies = heard.flatMap((received) =>
      received.map(({ message, at }) => at - (sentAt.get(message?.params.uri) ?? Number.NaN)),
    );
    return { told: heard.map((received) => received.map(({ message }) => message?.params.uri as string)), latencies };
  } finally {
    for (const stream of streams) stream.close();
  }
}

function expectOnceInOrder(told: readonly string[][]): void {
  const [first = []] = told;
  expect([...first].sort()).to.deep.equal([...URIS].sort());
  told.forEach((uris, stream) => {
    expect(uris, `stream ${stream}`).to.deep.equal(first);
  });
}

export const fanOut: ModernSuite = (fleet) => {
  it(`${STREAMS} streams are told of ${CHANGES} changes, each once, in one order`, async () => {
    const { told, latencies } = await run(fleet(), new Chance(1), async () => undefined);
    expectOnceInOrder(told);
    const [p50, p99, slowest] = [0.5, 0.99, 1].map((share) => Math.round(quantile(latencies, share)));
    tell(`${told.length} streams, ${CHANGES} changes: p50 ${p50} ms, p99 ${p99} ms, slowest ${slowest} ms`);
    expect(p99).to.be.lessThan(SLOWEST_MS);
  });

  it(`and of all of them too when the nodes lose their hints ${CUTS} times meanwhile`, async () => {
    const every = Math.ceil(CHANGES / (CUTS + 1));
    let killed = 0;
    const cut = async (change: number): Promise<void> => {
      if (change === 0 || change % every !== 0) return;
      killed += Number(await fleet().inspect.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']));
    };
    const { told, latencies } = await run(fleet(), new Chance(2), cut);
    expectOnceInOrder(told);
    expect(killed).to.be.at.least(CUTS);
    tell(`${killed} subscribers cut off: p99 ${Math.round(quantile(latencies, 0.99))} ms`);
  });

  it(`what is acknowledged is in force: ${ACKNOWLEDGED} times, a change right behind it, on another node`, async () => {
    await inTurns(ACKNOWLEDGED, 5, async (turn) => {
      const uri = `test://at-once/${turn}`;
      const stream = await listen(fleet(), { resourceSubscriptions: [uri] }, { node: turn % 3 });
      await callTool(fleet(), 'touch', { uri }, { node: (turn + 1) % 3 });
      await stream.waitFor(({ params }) => params?.uri === uri, `change ${turn}`);
      stream.close();
    });
  });
};
