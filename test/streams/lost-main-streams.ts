/**
 * The node that holds a main stream is killed while messages flow: the next stream of the session, wherever it is, goes
 * on where the lost one broke.
 */
import { expect } from 'chai';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { type Chance, withChance } from './chance.js';
import { Follower } from './follower.js';
import { counted, size } from './scale.js';
import { numbersOf, type StreamSuite, sendNumber, upTo, urlOf } from './stream-suite.js';

const KILLS = size(2, 20);
const MESSAGES = 60;

export const lostMainStreams: StreamSuite = (fleet, worker) => {
  const killFirst = (): Promise<void> => fleet().kill(fleet().nodes[0] as NodeProcess);
  afterEach(async () => {
    while (fleet().nodes.length < 3) await fleet().addNode();
  });

  const reaches = (stream: Follower, number: number): Promise<void> =>
    stream.until(() => numbersOf(stream.messages).includes(number), `number ${number}`);

  const strike = async (chance: Chance): Promise<void> => {
    const session = await RawSession.open(fleet());
    const lost = await Follower.get(session, urlOf(fleet(), 0));
    const flowing = (async () => {
      for (const number of upTo(MESSAGES)) await sendNumber(worker(), session.id, number);
    })();
    await reaches(lost, chance.between(0, MESSAGES - 1));
    await killFirst();
    const replacement = fleet().addNode();
    expect(await lost.ended, 'the connection breaks').to.equal(false);
    const next = await Follower.get(session, urlOf(fleet(), chance.between(0, 1)), { lastEventId: lost.lastEventId });
    await flowing;
    if (!numbersOf(lost.messages).includes(MESSAGES - 1)) await reaches(next, MESSAGES - 1);
    expect([lost, next].flatMap(({ messages }) => numbersOf(messages))).to.deep.equal(upTo(MESSAGES));
    next.close();
    await replacement;
  };

  it(`is gone on with by Last-Event-ID, each message once and in order, over ${counted(KILLS, 'kill')}`, () =>
    withChance(async (chance) => {
      for (let kill = 0; kill < KILLS; kill += 1) await strike(chance);
    })).timeout(300_000);

  it('is gone on with by one that was open on another node and silent until then', async () => {
    const session = await RawSession.open(fleet());
    const silent = await Follower.get(session, urlOf(fleet(), 1));
    const lost = await Follower.get(session, urlOf(fleet(), 0));
    await sendNumber(worker(), session.id, 0);
    await reaches(lost, 0);
    await killFirst();
    await sendNumber(worker(), session.id, 1);
    await reaches(silent, 1);
    silent.close();
  });
};
