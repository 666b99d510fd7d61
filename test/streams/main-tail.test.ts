/**
 * The two ways in which a main stream hears of changes, told by its node and read by itself; and what it does while it
 * does not know which of them its session wants. The log and the sink are stand-ins: the order of answers is the subject.
 */
import { expect } from 'chai';
import type { EventSink, SseEvent } from '../../src/core/event-sink.js';
import { MainTail } from '../../src/core/main-tail.js';
import type { ChangeEntry, ChangeLog } from '../../src/core/ports/change-log.js';
import { type EventLog, MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import { StoreUnavailable } from '../../src/core/ports/store.js';
import type { TailContext } from '../../src/core/tail.js';
import { eventually } from '../support/eventually.js';

const change = (position: string): ChangeEntry => ({ position, change: { kind: 'tools' } });
const update = (position: string, uri: string): ChangeEntry => ({ position, change: { kind: 'resource', uri } });
const nothing = async (): Promise<string[]> => [];

/** A main stream of an empty log, over a log of changes; `sent` is what its client gets. */
function openTail(changes: ChangeEntry[], subscriptions = nothing): { tail: MainTail; sent: SseEvent[] } {
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
    read: async (after) => ({ complete: true, entries: changes.filter(({ position }) => position > after) }),
  };
  const tail = new MainTail({ log, nodeToken: 'node' } as TailContext, {
    sessionId: 'session',
    sink: sink as EventSink,
    position: { streamId: MAIN_STREAM, own: START, changes: '1-0' },
    changes: changeLog as ChangeLog,
    subscriptions,
    initialized: true,
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
    const { tail, sent } = openTail(log, async () => {
      asked += 1;
      if (asked < 3) throw new StoreUnavailable('away');
      return ['b'];
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
    let answer: (uris: string[]) => void = () => {};
    const { tail, sent } = openTail(log, () => new Promise((resolve) => (answer = resolve)));
    tail.start();
    tail.setSubscription('a', true);
    tail.setSubscription('b', false);
    answer(['b', 'c']);
    await eventually(() => sent.length === 2);
    expect(told(sent)).to.deep.equal(['a', 'c']);
  });

  it('reads anew after signals were lost, before it tells of anything more', async () => {
    const readings = [['a'], ['c']];
    const changes = log.slice(0, 1);
    const { tail, sent } = openTail(changes, async () => readings.shift() ?? []);
    tail.start();
    await eventually(() => sent.length === 1);
    changes.push(...log.slice(1));
    tail.forgetSubscriptions();
    await eventually(() => sent.length === 2);
    expect(told(sent)).to.deep.equal(['a', 'c']);
  });
});
