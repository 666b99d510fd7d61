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
import { numbersOf, type StreamSuite, sendNumber, upTo } from './stream-suite.js';

const SESSIONS = size(3, 10);
const FIGHT_MS = size(2000, 20_000);
const BETWEEN_MESSAGES_MS = 5;
const BETWEEN_STREAMS_MS = 200;

export const takeOver: StreamSuite = (fleet, worker) => {
  /** Sends numbers until told to stop; returns how many. */
  const flow = async (session: RawSession, going: () => boolean): Promise<number> => {
    let sent = 0;
    for (; going(); sent += 1) {
      await sendNumber(worker(), session.id, sent);
      await pause(BETWEEN_MESSAGES_MS);
    }
    return sent;
  };

  const expectEachOnce = (streams: readonly Follower[], sent: number): void => {
    const parts = streams.map(({ messages }) => numbersOf(messages));
    for (const part of parts) expect(part, 'order within a stream').to.deep.equal([...part].sort((a, b) => a - b));
    const all = parts.flat().sort((a, b) => a - b);
    const twice = all.filter((number, i) => number === all[i - 1]);
    const holders = twice.map((number) => parts.flatMap((part, i) => (part.includes(number) ? i : [])).join('+'));
    expect(twice, `came twice, on the streams ${holders}`).to.deep.equal([]);
    expect(all, 'none is missing').to.deep.equal(upTo(sent));
  };

  /** `openNext` opens what is to take over, every so often. */
  const fight = async (chance: Chance, openNext: (session: RawSession) => Promise<Follower[]>): Promise<number> => {
    const session = await RawSession.open(fleet());
    const streams = await openNext(session);
    let going = true;
    const flowing = flow(session, () => going);
    for (const end = performance.now() + FIGHT_MS; performance.now() < end; ) {
      await pause(BETWEEN_STREAMS_MS + chance.between(-20, 20));
      streams.push(...(await openNext(session)));
    }
    going = false;
    const sent = await flowing;
    const arrived = (): boolean => streams.some(({ messages }) => numbersOf(messages).includes(sent - 1));
    await eventually(arrived, { what: 'the last number' });
    expectEachOnce(streams, sent);
    for (const stream of streams) stream.close();
    return streams.length;
  };

  const someNode = (chance: Chance): string => chance.pick(fleet().nodeUrls);

  it(`loses and repeats nothing when a new one comes every ${BETWEEN_STREAMS_MS} ms`, () =>
    withChance(async (chance) => {
      const fights = upTo(SESSIONS).map(() => {
        const own = chance.fork();
        return fight(own, async (session) => [await Follower.get(session, someNode(own))]);
      });
      tell(`${SESSIONS} sessions, streams of each: ${await Promise.all(fights)}`);
    })).timeout(120_000);

  it('loses and repeats nothing when three come at the same time', () =>
    withChance(async (chance) => {
      const fights = upTo(SESSIONS).map(() => {
        const own = chance.fork();
        return fight(own, (session) => Promise.all(upTo(3).map(() => Follower.get(session, someNode(own)))));
      });
      tell(`${SESSIONS} sessions, streams of each: ${await Promise.all(fights)}`);
    })).timeout(120_000);

  it('goes on with one of those that were silent when the holder is closed', () =>
    withChance(async (chance) => {
      const session = await RawSession.open(fleet());
      const streams: Follower[] = [];
      for (const node of fleet().nodeUrls) streams.push(await Follower.get(session, node));
      let sent = 0;
      for (const last = upTo(3); streams.some(({ isOver }) => !isOver); sent += 1) {
        await sendNumber(worker(), session.id, sent);
        const has = ({ messages }: Follower): boolean => numbersOf(messages).includes(sent);
        const holder = await eventually(() => streams.find(has) ?? false, { what: `number ${sent}` });
        if (chance.next() < 0.5 || sent > last.length) {
          holder.close();
          await holder.ended;
        }
      }
      expectEachOnce(streams, sent);
    }));
};
