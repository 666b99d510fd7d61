/** The two ways in which a main stream hears of changes: told by its node, and read by itself. */
import { expect } from 'chai';
import type { EventSink, SseEvent } from '../../src/core/event-sink.js';
import { MainTail } from '../../src/core/main-tail.js';
import type { ChangeEntry, ChangeLog } from '../../src/core/ports/change-log.js';
import { type EventLog, MAIN_STREAM, START } from '../../src/core/ports/event-log.js';
import type { TailContext } from '../../src/core/tail.js';
import { eventually } from '../support/eventually.js';

const change = (position: string): ChangeEntry => ({ position, change: { kind: 'tools' } });

/** A main stream of an empty log, over a log of changes; `sent` is what its client gets. */
function openTail(changes: ChangeEntry[]): { tail: MainTail; sent: SseEvent[] } {
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
    subscriptions: [],
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
