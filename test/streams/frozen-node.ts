/**
 * A node that stands still for longer than its lease, and then goes on as if nothing had been: what it did not know is
 * that others have taken over its calls and its streams.
 *
 * One story for all sentences. A late event is proved not to come by what is sent after it on the same way.
 */
import { expect } from 'chai';
import type { FleetAccess } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { textOf } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { Follower } from './follower.js';
import { expectGrowing, ResumingCall } from './resuming-call.js';
import { numbersOf, type StreamSuite, sendNumber, upTo, urlOf } from './stream-suite.js';

const WORK = { ms: 1200, steps: 12 };

/** Sends numbers to a session and remembers where it was; `read` is what came of them, on all its streams. */
class Numbered {
  readonly session: RawSession;
  readonly streams: Follower[] = [];
  sent = 0;

  constructor(session: RawSession) {
    this.session = session;
  }

  async send(worker: FleetAccess, count: number): Promise<void> {
    for (const last = this.sent + count; this.sent < last; this.sent += 1) {
      await sendNumber(worker, this.session.id, this.sent);
    }
  }

  async openOn(nodeUrl: string): Promise<void> {
    this.streams.push(await Follower.get(this.session, nodeUrl));
  }

  /** Until the newest stream has what was sent last. */
  async arrived(): Promise<void> {
    const newest = this.streams.at(-1) as Follower;
    await newest.until(() => numbersOf(newest.messages).includes(this.sent - 1), `number ${this.sent - 1}`);
  }
}

export const frozenNode: StreamSuite = (fleet, worker) => {
  let frozen: NodeProcess;
  let repeatable: ResumingCall;
  let counted: ResumingCall;
  let moved: Numbered;
  let waiting: Numbered;

  before(async () => {
    frozen = fleet().nodes[0] as NodeProcess;
    [repeatable, counted] = await Promise.all([begin('slow'), begin('slow_count')]);
    [moved, waiting] = await Promise.all([numbered(), numbered()]);
    const { url } = frozen;
    // What has been sent is noted on the connection that this ping uses after it.
    await Promise.all([moved, waiting].map(({ session }) => session.request('ping', {}, { node: 0 })));

    frozen.signal('SIGSTOP');
    for (const call of [repeatable, counted]) {
      call.drop();
      await call.resume(urlOf(fleet(), 1));
    }
    await Promise.all([moved, waiting].map((one) => one.send(worker(), 5)));
    await Promise.all([repeatable, counted].map((call) => call.answer()));
    await moved.openOn(urlOf(fleet(), 2));
    await moved.send(worker(), 5);
    await moved.arrived();

    frozen.signal('SIGCONT');
    await thawed(fleet(), url);
    await Promise.all([moved, waiting].map((one) => one.send(worker(), 1)));
    await Promise.all([moved, waiting].map((one) => one.arrived()));
  });
  after(() => frozen?.signal('SIGCONT'));

  const begin = async (tool: string): Promise<ResumingCall> => {
    const call = new ResumingCall(await RawSession.open(fleet()));
    await call.start(frozen.url, tool, WORK);
    await call.reaches(4);
    return call;
  };

  const numbered = async (): Promise<Numbered> => {
    const one = new Numbered(await RawSession.open(fleet()));
    await one.openOn(frozen.url);
    await one.send(worker(), 5);
    await one.arrived();
    return one;
  };

  /**
   * When a call as long as the interrupted ones is over there, they are; so is all that was waiting for the node. What it
   * had asked the store before is overdue by now, and it refuses requests until it has found the store again.
   */
  const thawed = async ({ nodeUrls }: Fleet, url: string): Promise<void> => {
    const other = new Numbered(await RawSession.open(fleet(), { node: 1 }));
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, { what: 'a node that is ready again' });
    await other.session.callTool('slow', WORK, { node: nodeUrls.indexOf(url) });
    await other.openOn(url);
    await other.send(worker(), 1);
    await other.arrived();
    other.streams.at(-1)?.close();
  };

  it('has its calls ended once, by survivors', () => {
    expect(textOf(repeatable.answers[0] ?? {})).to.equal(`slow: ${WORK.steps} steps done`);
    expect(counted.answers[0]?.error?.data).to.deep.include({ retryable: true });
    for (const call of [repeatable, counted]) {
      expect(call.answers).to.have.lengthOf(1);
      expectGrowing(call.progress);
      call.expectNoRepetition();
    }
  });

  it('adds nothing to their streams when it goes on', async () => {
    for (const call of [repeatable, counted]) {
      const [first, ...rest] = call.events;
      const again = await Follower.get(call.session, urlOf(fleet(), 2), { lastEventId: first?.id });
      expect(await again.ended).to.equal(true);
      expect(again.received.map(({ id }) => id)).to.deep.equal(rest.map(({ id }) => id));
    }
    expect(textOf(await counted.session.callTool('count')), 'done once, then counted').to.equal('2');
  });

  it('sends on a main stream that was left to it what was missed, once', () => {
    expect(numbersOf((waiting.streams[0] as Follower).messages)).to.deep.equal(upTo(waiting.sent));
  });

  it('sends nothing on a main stream that another node has taken over', () => {
    const [old, taken] = moved.streams.map(({ messages }) => numbersOf(messages));
    expect(taken, 'on the new stream').to.deep.equal(upTo(moved.sent).slice(5));
    expect(old, 'on the old stream').to.deep.equal(upTo(5));
  });
};
