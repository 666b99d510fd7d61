/**
 * Streams of one session that take over from each other, on different nodes, while messages flow: each message is on
 * one of them, once, whoever holds the stream at the moment.
 *
 * The client names no event when it opens the next stream, so it is the nodes that have to know how far it has come.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { RawSession } from '../support/raw-client.js';
import { type Chance, withChance } from './chance.js';
import { Follower } from './follower.js';
import { size, tell } from './scale.js';
import { numberOf, numbersOf, type StreamSuite, sendNumber, upTo } from './stream-suite.js';

const SESSIONS = size(3, 10);
const FIGHT_MS = size(2000, 20_000);
const BETWEEN_MESSAGES_MS = 5;
const BETWEEN_STREAMS_MS = 200;
/** Time enough for the newest to take the stream before the next crowd comes. */
const BETWEEN_CROWDS_MS = 400;
const CROWD = 3;
/** Enough for one node to wait for another's word; not for a message to be found by the clock. */
const SOON_MS = 1000;

export const takeOver: StreamSuite = (fleet, worker) => {
  /** Sends numbers until told to stop; returns when each was sent. */
  const flow = async (session: RawSession, going: () => boolean): Promise<number[]> => {
    const sentAt: number[] = [];
    while (going()) {
      sentAt.push(performance.now());
      await sendNumber(worker(), session.id, sentAt.length - 1);
      await pause(BETWEEN_MESSAGES_MS);
    }
    return sentAt;
  };

  const longestDelay = (streams: readonly Follower[], sentAt: readonly number[]): number => {
    const arrivals = streams.flatMap(({ received }) => received);
    return Math.max(...arrivals.map(({ message, at }) => at - (sentAt[numberOf(message) ?? -1] ?? at)));
  };

  const expectEachOnce = (streams: readonly Follower[], sent: number): void => {
    const parts = streams.map(({ messages }) => numbersOf(messages));
    for (const part of parts) expect(part, 'order within a stream').to.deep.equal([...part].sort((a, b) => a - b));
    const all = parts.flat().sort((a, b) => a - b);
    const twice = all.filter((number, i) => number === all[i - 1]);
    const holders = parts.flatMap((part, i) => (part.includes(twice[0] ?? -1) ? i : []));
    expect(twice.length, `came twice, the first is ${twice[0]} on the streams ${holders}`).to.equal(0);
    const missing = upTo(sent).filter((number) => all[number] !== number);
    expect(missing.length, `are missing, the first is ${missing[0]}`).to.equal(0);
  };

  /** Opens streams while messages flow, so many at once and so far apart; returns the longest way of a message. */
  const fight = async (chance: Chance, atOnce: number, apartMs: number): Promise<number> => {
    const session = await RawSession.open(fleet());
    const streams: Follower[] = [];
    const openNext = async () => streams.push(await Follower.get(session, chance.pick(fleet().nodeUrls)));
    await openNext();
    let going = true;
    const flowing = flow(session, () => going);
    try {
      for (const end = performance.now() + FIGHT_MS; performance.now() < end; ) {
        await pause(apartMs);
        await Promise.all(Array.from({ length: atOnce }, openNext));
      }
      going = false;
      const sentAt = await flowing;
      const arrived = (): boolean => streams.some(({ messages }) => numbersOf(messages).includes(sentAt.length - 1));
      await eventually(arrived, { what: 'the last number' });
      expectEachOnce(streams, sentAt.length);
      return longestDelay(streams, sentAt);
    } finally {
      going = false;
      for (const stream of streams) stream.close();
    }
  };

  const fightAll = async (chance: Chance, atOnce: number, apartMs: number): Promise<void> => {
    const delays = await Promise.all(upTo(SESSIONS).map(() => fight(chance.fork(), atOnce, apartMs)));
    const longest = Math.max(...delays);
    tell(`${SESSIONS} sessions, ${FIGHT_MS / 1000} s each; longest way of a message: ${Math.round(longest)} ms`);
    expect(longest, 'longest way of a message').to.be.below(SOON_MS);
  };

  it(`loses and repeats nothing when a new one comes every ${BETWEEN_STREAMS_MS} ms`, () =>
    withChance((chance) => fightAll(chance, 1, BETWEEN_STREAMS_MS))).timeout(120_000);

  it(`loses and repeats nothing when ${CROWD} new ones come at the same time`, () =>
    withChance((chance) => fightAll(chance, CROWD, BETWEEN_CROWDS_MS))).timeout(120_000);

  it('goes on with one of those that were silent when the holder is closed', () =>
    withChance(async (chance) => {
      const session = await RawSession.open(fleet());
      const streams: Follower[] = [];
      for (const node of fleet().nodeUrls) streams.push(await Follower.get(session, node));
      const tail = () => fleet().inspect.hGet(`{session:${session.id}}:stream:main`, 'tail');
      // What a node writes before it has noticed that the client went counts as sent, at most once, and no other sends it.
      const close = async (holder: Follower): Promise<void> => {
        const before = await tail();
        holder.close();
        await holder.ended;
        await eventually(async () => (await tail()) !== before, { what: 'a stream that its holder has given up' });
      };
      let sent = 0;
      try {
        for (const last = upTo(3); streams.some(({ isOver }) => !isOver); sent += 1) {
          await sendNumber(worker(), session.id, sent);
          const has = ({ messages }: Follower): boolean => numbersOf(messages).includes(sent);
          const holder = await eventually(() => streams.find(has) ?? false, { what: `number ${sent}` });
          if (chance.next() < 0.5 || sent > last.length) await close(holder);
        }
        expectEachOnce(streams, sent);
      } finally {
        // What stays open here would be counted by the trials after this one.
        for (const stream of streams) stream.close();
      }
    }));
};
