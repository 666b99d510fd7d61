/**
 * A client that loses its connection, again and again, gets every event of its call exactly once and in order.
 *
 * It drops after an event chosen by chance and goes on at another node each time. Not here: nodes that die.
 */
import { expect } from 'chai';
import { textOf } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { type Chance, withChance } from './chance.js';
import { ResumingCall } from './resuming-call.js';
import { size } from './scale.js';
import { type StreamSuite, upTo } from './stream-suite.js';

const RUNS = size(40, 300);
const AT_ONCE = size(40, 75);
const STEPS = 30;
const DURATION_MS = 3000;
/** Each step is told twice, as progress and as a log line; before them comes the event without data. */
const EVENTS_BEFORE_ANSWER = 1 + 2 * STEPS;
const MAX_DROPS = 5;

export const resumption: StreamSuite = (fleet) => {
  const dropped = async (chance: Chance): Promise<number> => {
    const urls = fleet().nodeUrls;
    const session = await RawSession.open(fleet());
    const call = new ResumingCall(session);
    let node = chance.between(0, urls.length - 1);
    await call.start(urls[node] as string, 'slow', { ms: DURATION_MS, steps: STEPS });
    const moments = Array.from({ length: chance.between(1, MAX_DROPS) }, () => chance.between(1, EVENTS_BEFORE_ANSWER));
    for (const moment of moments.sort((a, b) => a - b)) {
      await call.reaches(moment);
      call.drop();
      node = (node + chance.between(1, urls.length - 1)) % urls.length;
      await call.resume(urls[node] as string);
    }
    expect(textOf(await call.answer())).to.equal(`slow: ${STEPS} steps done`);
    expect(await call.connection.ended, 'the stream ends in order').to.equal(true);

    const steps = upTo(STEPS).map((i) => i + 1);
    expect(call.progress, `drops after ${moments}`).to.deep.equal(steps);
    const lines = call.messages.filter(({ method }) => method === 'notifications/message');
    expect(lines.map(({ params }) => params.data)).to.deep.equal(steps.map((i) => `slow: step ${i} of ${STEPS}`));
    expect(call.messages.at(-1)).to.equal(call.answers[0]);
    expect(call.messages).to.have.lengthOf(2 * STEPS + 1);
    call.expectNoRepetition();
    return moments.length;
  };

  it(`gives each event once and in order to ${RUNS} clients that drop up to ${MAX_DROPS} times`, () =>
    withChance(async (chance) => {
      let drops = 0;
      const waiting = Array.from({ length: RUNS }, () => chance.fork());
      const runner = async (): Promise<void> => {
        for (let own = waiting.pop(); own; own = waiting.pop()) {
          const count = await dropped(own);
          drops += count;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, runner));
      expect(drops).to.be.at.least(RUNS);
    })).timeout(120_000);
};
