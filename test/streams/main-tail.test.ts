/**
 * The two ways in which a main stream hears of changes, told by its node and read by itself; and what it does while it
 * does not know which of them its session wants. The log and the sink are stand-ins: the order of answers is the subject.
 */
import { expect } from 'chai';
import type { EventSink, SseEvent } from '../../src/core/event-sink.js';
import { Portions } from '../../src/core/in-portions.js';
import { MainTail } from '../../src/core/main-tail.js';
import type { ChangeEntry, ChangeLog } from '../../src/core/ports/change-log.js';
import { type EventLog, MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import { StoreUnavailable } from '../../src/core/ports/store.js';
import type { TailContext } from '../../src/core/tail.js';
import { eventually } from '../support/eventually.js';

const change = (position: string): ChangeEntry => ({ position, change: { kind: 'tools' } });
const update = (position: string, uri: string): ChangeEntry => ({ position, change: { kind: 'resource', uri } });
const nothing = async (): Promise<Map<string, string>> => new Map();
const wanted = (...uris: string[]): Map<string, string> => new Map(uris.map((uri) => [uri, '1-0']));

interface Behaviour {
  subscriptions?: () => Promise<Map<string, string>>;
  /** How what was read of the changes comes. */
  arrive?: (entries: ChangeEntry[]) => Promise<ChangeEntry[]>;
  isInitialized?: () => Promise<boolean>;
  readings?: Portions;
}

/** A main stream of an empty log, over a log of changes; `sent` is what its client gets. */
function openTail(changes: ChangeEntry[], behaviour: Behaviour = {}): { tail: MainTail; sent: SseEvent[] } {
  const { subscriptions = nothing, isInitialized = async () => true, readings = new Portions(1) } = behaviour;
  const { arrive = async (entries) => entries } = behaviour;
  const sent: SseEvent[] = [];
  const sink: Partial<EventSink> = {
    connectionId: 'connection',
    closed: false,
    congested: false,
    send: (event) => void sent.push(event),
  };
  const holder = { nodeToken: 'node', connectionId: 'connection' };
  const reading = { known: true, complete: true, over: false, entries: [], holder };
  const log: Partial<EventLog> = { read: async () => reading, recordDelivered: async () => {} };
  const changeLog: Partial<ChangeLog> = {
    read: async (after) => ({
      complete: true,
      entries: await arrive(changes.filter(({ position }) => position > after)),
    }),
  };
  const tail = new MainTail({ log, nodeToken: 'node' } as TailContext, {
    sessionId: 'session',
    sink: sink as EventSink,
    position: { streamId: MAIN_STREAM, own: START, changes: '1-0' },
    changes: changeLog as ChangeLog,
    subscriptions,
    initialized: behaviour.isInitialized === undefined,
    readings,
    isInitialized,
  });
  return { tail, sent };
}

describe('a main stream that has read further than its node has heard', () => {
  it('tells a change once, though its node tells it of that one later', async () => {
    const { tail, sent } = openTail([change('2-0')]);
    tail.start();
    await eventually(() => sent.length === 1);
    await tail.catchUp();
    for (const late of ['1-5', '2-0']) tail.offerChange(change(late));
    expect(sent, 'nothing older').to.have.lengthOf(1);
    tail.offerChange(change('10-0'));
    expect(sent.map(({ id }) => id)).to.deep.equal(['main.0-0.2-0', 'main.0-0.10-0']);
  });
});

describe('a main stream that does not know yet what its session is subscribed to', () => {
  const log = [update('2-0', 'a'), update('3-0', 'b'), update('4-0', 'c')];
  const told = (sent: SseEvent[]): string[] => sent.map(({ data = '' }) => JSON.parse(data).params.uri);

  it('skips no change while the store does not tell: it asks again, and goes on from there', async () => {
    let asked = 0;
    const { tail, sent } = openTail(log, {
      subscriptions: async () => {
        asked += 1;
        if (asked < 3) throw new StoreUnavailable('away');
        return wanted('b');
      },
    });
    tail.start();
    await eventually(() => {
      if (asked < 3) expect(sent).to.deep.equal([]);
      void tail.look();
      return sent.length > 0;
    });
    expect(told(sent)).to.deep.equal(['b']);
    expect(asked).to.equal(3);
  });

  it('believes what it hears meanwhile more than what it reads', async () => {
    let answer: (uris: Map<string, string>) => void = () => {};
    const { tail, sent } = openTail(log, { subscriptions: () => new Promise((resolve) => (answer = resolve)) });
    tail.start();
    tail.setSubscription('a', '1-0');
    tail.setSubscription('b', undefined);
    answer(wanted('b', 'c'));
    await eventually(() => sent.length === 2);
    expect(told(sent)).to.deep.equal(['a', 'c']);
  });

  it('reads anew after signals were lost, and looks back at what it has passed over by then', async () => {
    const readings = [wanted('a'), wanted('a', 'b', 'c')];
    const { tail, sent } = openTail(log, { subscriptions: async () => readings.shift() ?? wanted() });
    tail.start();
    await eventually(() => sent.length === 1);
    await tail.catchUp();
    tail.offerChange(update('5-0', 'd'));
    tail.forgetSubscriptions();
    await tail.look();
    expect(told(sent)).to.deep.equal(['a', 'b', 'c']);
  });

  it('tells of a change whose word overtook that of the subscription, and of none before the subscription', async () => {
    const { tail, sent } = openTail(log);
    tail.start();
    await tail.catchUp();
    await eventually(() => !tail.behind);
    tail.setSubscription('b', '2-0');
    tail.setSubscription('a', '2-0');
    await eventually(() => sent.length > 0);
    await eventually(() => !tail.behind);
    expect(told(sent)).to.deep.equal(['b']);
    expect(sent[0]?.id, 'the position is that of what was sent before').to.equal(undefined);
  });

  it('judges no change by what it knew before it was told to forget', async () => {
    const readings = [wanted(), wanted('b')];
    const late: (() => void)[] = [];
    const { tail, sent } = openTail(log, {
      subscriptions: async () => readings.shift() ?? wanted(),
      arrive: (entries) => new Promise((resolve) => late.push(() => resolve(entries))),
    });
    tail.start();
    await eventually(() => late.length === 1);
    tail.forgetSubscriptions();
    await eventually(() => {
      late.shift()?.();
      return sent.length === 1;
    });
    expect(told(sent)).to.deep.equal(['b']);
  });
});

describe('a main stream whose client has not said, as far as its node knows, that it is initialized', () => {
  it('asks with each look, and is silent until then', async () => {
    let is = false;
    const { tail, sent } = openTail([change('2-0')], { isInitialized: async () => is });
    tail.start();
    tail.offerChange(change('2-0'));
    await tail.look();
    expect(sent).to.deep.equal([]);
    is = true;
    await tail.look();
    await eventually(() => sent.length === 1);
  });
});

describe('main streams of a node that are all behind', () => {
  it('read some at a time, whatever sets them off', async () => {
    const readings = new Portions(3);
    let [now, most] = [0, 0];
    const arrive = async (entries: ChangeEntry[]): Promise<ChangeEntry[]> => {
      most = Math.max(most, ++now);
      await new Promise(setImmediate);
      now -= 1;
      return entries;
    };
    const streams = Array.from({ length: 20 }, () => openTail([change('2-0')], { readings, arrive }));
    for (const { tail } of streams) tail.start();
    for (const { tail } of streams) tail.offerChange(change('3-0'));
    await eventually(() => streams.every(({ sent, tail }) => sent.length > 0 && !tail.behind));
    expect(most).to.equal(3);
  });
});
