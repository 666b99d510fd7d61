/**
 * A node that is told to go while it works: what it cannot finish in time is finished by those that stay.
 *
 * Not here: drains with time enough, which end calls where they began.
 */
import { expect } from 'chai';
import { textOf } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { Follower } from './follower.js';
import { expectGrowing, ResumingCall } from './resuming-call.js';
import { numbersOf, type StreamSuite, sendNumber, upTo, urlOf } from './stream-suite.js';

const WORK = { ms: 1500, steps: 15 };
/** Much less than the work takes. */
const DRAIN_TIMEOUT_MS = 200;

export const leavingNode: StreamSuite = (fleet, worker) => {
  let leaving: NodeProcess;
  beforeEach(async () => {
    leaving = await fleet().addNode({ DRAIN_TIMEOUT_MS: `${DRAIN_TIMEOUT_MS}` });
  });

  const begin = async (tool: string): Promise<ResumingCall> => {
    const call = new ResumingCall(await RawSession.open(fleet()));
    await call.start(leaving.url, tool, WORK);
    await call.reaches(4);
    return call;
  };

  it('exits with 0, and a survivor goes on with its calls', async () => {
    const [repeatable, counted] = await Promise.all([begin('slow'), begin('slow_count')]);
    // Fails for any other exit code.
    await fleet().retire(leaving);
    for (const call of [repeatable, counted]) {
      expect(await call.connection.ended, 'the stream is closed, not cut').to.equal(true);
      expect(call.answers).to.deep.equal([]);
      await call.resume(urlOf(fleet(), 1));
    }
    expect(textOf(await repeatable.answer())).to.equal(`slow: ${WORK.steps} steps done`);
    expect((await counted.answer()).error?.data).to.deep.include({ retryable: true });
    expect(textOf(await counted.session.callTool('count')), 'done once, then counted').to.equal('2');
    for (const call of [repeatable, counted]) {
      expectGrowing(call.progress);
      call.expectNoRepetition();
    }
  });

  it('closes the main stream it held, and the next one goes on exactly there', async () => {
    const session = await RawSession.open(fleet());
    const first = await Follower.get(session, leaving.url);
    const gone = fleet().retire(leaving);
    let sent = 0;
    for (let open = true; open; sent += 1) {
      await sendNumber(worker(), session.id, sent);
      open = !first.isOver;
    }
    expect(await first.ended).to.equal(true);
    const second = await Follower.get(session, urlOf(fleet(), 0));
    await sendNumber(worker(), session.id, sent);
    await second.until(() => numbersOf(second.messages).includes(sent), 'the last number');
    expect([first, second].flatMap(({ messages }) => numbersOf(messages))).to.deep.equal(upTo(sent + 1));
    second.close();
    await gone;
  });
};
