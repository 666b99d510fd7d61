/**
 * Clients at work, each of one kind, as a load on a fleet: they do one thing after the other until they are told to stop,
 * resume a stream whose connection is over, and repeat nothing else.
 *
 * Each knows what it was promised and says at the end whether that was kept: counters count every acknowledged call, a
 * main stream has every message once and in order, a call has all of its progress and one answer.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { FleetAccess } from '../../src/index.js';
import { LISTEN, listen } from '../modern/listening.js';
import { callTool, answer as modernAnswer } from '../modern/modern-client.js';
import type { Chance } from '../streams/chance.js';
import { Follower } from '../streams/follower.js';
import { progressOf } from '../streams/resuming-call.js';
import { numbersOf, sendNumber, upTo } from '../streams/stream-suite.js';
import { isResponse, type RpcMessage, request, textOf } from '../support/json-rpc.js';
import type { RawSession, Target } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';
import { Cut, type Tally } from './tally.js';

/** What a client waits before it comes back, where the stream has not told it otherwise. */
const RECONNECT_MS = 100;

export interface Workplace {
  readonly target: Target;
  readonly worker: FleetAccess;
  readonly tally: Tally;
  readonly chance: Chance;
}

export interface SteadyClient {
  /** Resolves when the client has come to rest after `stop` has become true. */
  run(stopped: () => boolean): Promise<void>;
  /** Throws where something that was promised is missing. */
  verify(): Promise<void>;
  close(): void;
}

/** An answer that is no stream; 502 is how a door says that the connection behind it was cut. */
async function bodyOf(sent: Promise<RawResponse>, status: number): Promise<string> {
  const response = await sent;
  const text = await response.text();
  if (response.status === 502 || !(await response.ended)) throw new Cut(`${response.status} ${text.slice(0, 100)}`);
  expect(response.status, text).to.equal(status);
  return text;
}

abstract class SessionClient implements SteadyClient {
  protected readonly place: Workplace;
  protected readonly session: RawSession;

  constructor(place: Workplace, session: RawSession) {
    this.place = place;
    this.session = session;
  }

  abstract run(stopped: () => boolean): Promise<void>;

  async verify(): Promise<void> {
    expect(await this.session.status(), 'status of a ping').to.equal(200);
  }

  close(): void {}
}

/** Counts, by short calls that are answered as JSON. */
export class Counter extends SessionClient {
  #acknowledged = 0;
  #unknown = 0;

  async run(stopped: () => boolean): Promise<void> {
    const { tally, chance } = this.place;
    while (!stopped()) {
      const body = request(randomUUID(), 'tools/call', { name: 'count', arguments: {} });
      const answer = await tally.count('counter', async () => {
        const text = await bodyOf(this.session.post(body), 200);
        expect(JSON.parse(text).result.isError, text).to.not.equal(true);
        return text;
      });
      if (answer !== undefined) this.#acknowledged += 1;
      else this.#unknown += 1;
      await pause(chance.between(150, 450));
    }
  }

  override async verify(): Promise<void> {
    await super.verify();
    const counted = Number(textOf(await this.session.callTool('count'))) - 1;
    expect(counted).to.be.within(this.#acknowledged, this.#acknowledged + this.#unknown);
  }
}

/** A call that may be repeated is run this often in all. */
const RUNS = 3;

/** A call as a stream, gone on with on as many connections as it takes. */
class StreamedCall {
  readonly id = randomUUID();
  readonly #place: Workplace;
  readonly #session: RawSession;
  readonly #messages: RpcMessage[] = [];
  readonly #eventIds: string[] = [];
  readonly #who: string;
  readonly #crashesBefore: number;
  lost = false;

  constructor(place: Workplace, session: RawSession, who: string) {
    this.#place = place;
    this.#session = session;
    this.#who = who;
    this.#crashesBefore = place.tally.crashes;
  }

  get progress(): number[] {
    return progressOf(this.#messages, this.id);
  }

  /** The answer; undefined where the connection was cut before the call could be resumed. */
  async run(name: string, args: object, onAsked?: (asked: RpcMessage) => void): Promise<RpcMessage | undefined> {
    const { target, tally } = this.#place;
    const take: Parameters<typeof Follower.call>[3] = ({ id, event, message }) => {
      if (id !== undefined) this.#eventIds.push(id);
      if (event === 'history_lost') tally.failures.push({ who: this.#who, why: 'history_lost' });
      if (message) this.#messages.push(message);
      if (message?.method !== undefined && message.id !== undefined) onAsked?.(message);
    };
    const begun = await tally.count(this.#who, async () => {
      const call = { name, args, id: this.id };
      return opened(await Follower.call(this.#session, target.url, call, take));
    });
    for (let connection = begun; connection; ) {
      const inOrder = await connection.ended;
      const answer = this.#messages.find((message) => isResponse(message) && message.id === this.id);
      if (answer) return answer;
      if (!inOrder) tally.cuts.push({ who: this.#who, why: 'the stream broke off' });
      const lastEventId = this.#eventIds.at(-1);
      if (lastEventId === undefined) return undefined;
      connection = await this.#resume(lastEventId, take);
    }
    return undefined;
  }

  /** Tried again where the attempt was cut itself: a GET may be repeated. */
  async #resume(lastEventId: string, onReceived: Parameters<typeof Follower.call>[3]): Promise<Follower> {
    const { target, tally } = this.#place;
    for (;;) {
      await pause(RECONNECT_MS);
      const failures = tally.failures.length;
      const resumed = await tally.count(`${this.#who}, resumed`, async () =>
        opened(await Follower.get(this.#session, target.url, { lastEventId, onReceived })),
      );
      if (resumed) {
        tally.resumed += 1;
        return resumed;
      }
      if (tally.failures.length > failures) throw new Error('a stream could not be resumed');
    }
  }

  /** It ended with an error: only a call that has lost its node as often as one is run may do that. */
  expectGivenUp(answer: RpcMessage): void {
    const { tally } = this.#place;
    expect(answer.error?.data).to.deep.equal({ retryable: true, reason: 'node_lost' });
    expect(tally.crashes - this.#crashesBefore, 'nodes killed during the call').to.be.at.least(RUNS);
    tally.givenUp += 1;
  }

  expectWhole(steps: number): void {
    expect(this.progress, 'progress').to.deep.equal(upTo(steps).map((step) => step + 1));
    expect(this.#eventIds, 'event ids').to.deep.equal([...new Set(this.#eventIds)]);
  }
}

function opened(follower: Follower): Follower {
  if (follower.status === 502) throw new Cut('502');
  expect(follower.status, 'status of the stream').to.equal(200);
  return follower;
}

/** Runs work that takes a while and tells its progress; now and then more of it than a node that leaves waits for. */
export class Toiler extends SessionClient {
  async run(stopped: () => boolean): Promise<void> {
    const { tally, chance } = this.place;
    while (!stopped()) {
      const steps = chance.between(6, 10);
      const long = chance.next() < 0.15;
      const call = new StreamedCall(this.place, this.session, 'toiler');
      const answer = await call.run('slow', { ms: long ? 4000 : chance.between(300, 900), steps });
      if (answer) {
        await tally.count('toiler, checked', async () => {
          if (answer.error) return call.expectGivenUp(answer);
          expect(textOf(answer)).to.equal(`slow: ${steps} steps done`);
          call.expectWhole(steps);
        });
      }
      await pause(chance.between(50, 250));
    }
  }
}

/** Runs work that asks its user something; the user takes a while. */
export class Asked extends SessionClient {
  static readonly capabilities = { elicitation: {} };

  async run(stopped: () => boolean): Promise<void> {
    const { tally, chance } = this.place;
    while (!stopped()) {
      const call = new StreamedCall(this.place, this.session, 'asked');
      const replies: Promise<unknown>[] = [];
      const reply = async (asked: RpcMessage): Promise<void> => {
        await pause(chance.between(0, 1200));
        const body = { jsonrpc: '2.0', id: asked.id, result: { action: 'accept', content: { colour: 'blue' } } };
        // A cut is repeated: nobody but the waiting call counts answers, and it takes one.
        for (let done = false; !done; ) {
          const cuts = tally.cuts.length;
          const text = await tally.count('asked, answering', () => bodyOf(this.session.post(body), 202));
          done = text !== undefined || tally.cuts.length === cuts;
        }
      };
      const answer = await call.run('ask_form', {}, (asked) => replies.push(reply(asked)));
      await Promise.all(replies);
      if (answer) {
        await tally.count('asked, checked', async () => expect(textOf(answer)).to.match(/colour.*blue/s));
      }
      await pause(chance.between(50, 250));
    }
  }
}

/** Holds its main stream open and is sent numbers from outside. */
export class Listener extends SessionClient {
  #sent = 0;
  readonly #heard: number[] = [];
  #stream: Follower | undefined;
  #lastEventId: string | undefined;

  async run(stopped: () => boolean): Promise<void> {
    const { tally, worker, chance } = this.place;
    let over = false;
    const listening = this.#listen(() => over);
    while (!stopped()) {
      await tally.count('worker', () => sendNumber(worker, this.session.id, this.#sent));
      this.#sent += 1;
      await pause(chance.between(150, 350));
    }
    const deadline = Date.now() + 15_000;
    while (this.#heard.length < this.#sent && Date.now() < deadline) await pause(50);
    over = true;
    this.#stream?.close();
    await listening;
  }

  async #listen(over: () => boolean): Promise<void> {
    const { tally, target } = this.place;
    while (!over()) {
      const lastEventId = this.#lastEventId;
      this.#stream = await tally.count('listener', async () =>
        opened(
          await Follower.get(this.session, target.url, {
            lastEventId,
            onReceived: ({ id, event, message }) => {
              this.#lastEventId = id ?? this.#lastEventId;
              if (event === 'history_lost') tally.failures.push({ who: 'listener', why: 'history_lost' });
              if (message) this.#heard.push(...numbersOf([message]));
            },
          }),
        ),
      );
      if (this.#stream) {
        if (lastEventId !== undefined) tally.resumed += 1;
        const inOrder = await this.#stream.ended;
        if (!inOrder && !over()) tally.cuts.push({ who: 'listener', why: 'the stream broke off' });
      }
      if (!over()) await pause(RECONNECT_MS);
    }
  }

  override async verify(): Promise<void> {
    await super.verify();
    expect(this.#heard, 'numbers heard').to.deep.equal(upTo(this.#sent));
  }

  override close(): void {
    this.#stream?.close();
  }
}

/** Calls of 2026-07-28, which no session holds together. */
export class ModernCaller implements SteadyClient {
  readonly #place: Workplace;

  constructor(place: Workplace) {
    this.#place = place;
  }

  async run(stopped: () => boolean): Promise<void> {
    const { tally, chance, target } = this.#place;
    for (let turn = 0; !stopped(); turn += 1) {
      const slow = turn % 3 === 2;
      await tally.count('modern', async () => {
        const called = slow
          ? callTool(target, 'slow', { ms: 400, steps: 4 }, { meta: { progressToken: turn } })
          : callTool(target, 'echo', { text: `${turn}` });
        const answered = await called.catch(asCut);
        expect(textOf(answered)).to.equal(slow ? 'slow: 4 steps done' : `${turn}`);
      });
      await pause(chance.between(150, 450));
    }
  }

  async verify(): Promise<void> {
    const { target } = this.#place;
    expect((await modernAnswer(target, 'tools/list')).result.tools).to.not.deep.equal([]);
  }

  close(): void {}
}

/** A connection that broke, or the page of a door whose connection did. */
function asCut(error: Error): never {
  if (/the stream ended before|The node did not answer|502 Bad Gateway|Unexpected token '<'/.test(error.message))
    throw new Cut(error.message);
  throw error;
}

/** Holds a subscription of 2026-07-28 and opens it again when a node ends it. */
export class Subscriber implements SteadyClient {
  readonly #place: Workplace;
  readonly #uri = `test://subscriber/${randomUUID()}`;
  #stream: RawResponse | undefined;

  constructor(place: Workplace) {
    this.#place = place;
  }

  async run(stopped: () => boolean): Promise<void> {
    const { tally, target } = this.#place;
    while (!stopped()) {
      if (!this.#stream) {
        this.#stream = await tally.count('subscriber', () =>
          listen(target, { resourceSubscriptions: [this.#uri] }).catch((error: Error) => {
            if (/expected 502/.test(error.message)) throw new Cut(error.message);
            throw error;
          }),
        );
      }
      await pause(RECONNECT_MS);
      if (!this.#stream?.isOver) continue;
      const ended = this.#stream;
      this.#stream = undefined;
      const last = ended.messages.at(-1);
      if (!(await ended.ended)) tally.cuts.push({ who: 'subscriber', why: 'the stream broke off' });
      else
        await tally.count(`subscriber, ${LISTEN}`, async () => expect(last?.result?.resultType).to.equal('complete'));
    }
  }

  async verify(): Promise<void> {
    const { target } = this.#place;
    this.#stream ??= await listen(target, { resourceSubscriptions: [this.#uri] });
    await callTool(target, 'touch', { uri: this.#uri });
    await this.#stream.waitFor(({ params }) => params?.uri === this.#uri, 'the change');
  }

  close(): void {
    this.#stream?.close();
  }
}
