/**
 * What a node does first when it goes on after a standstill, in a turn of its event loop that began before: hints are in its
 * sockets already, and no timer has told it yet. The log is a stand-in, since no process can be stopped at this point from
 * outside; what a node does that is stopped anywhere is told by frozen-node.ts.
 */
import { expect } from 'chai';
import type { EventSink, SseEvent } from '../../src/core/event-sink.js';
import { Hub } from '../../src/core/hub.js';
import { silentLogger } from '../../src/core/logger.js';
import { type EventLog, START, type TailHolder } from '../../src/core/ports/event-log.js';
import { Tail, type TailContext } from '../../src/core/tail.js';
import { eventually } from '../support/eventually.js';

const STREAM = { sessionId: 'session', streamId: 'stream' };
const HERE: TailHolder = { nodeToken: 'here', connectionId: 'here' };
const ELSEWHERE: TailHolder = { nodeToken: 'elsewhere', connectionId: 'elsewhere' };

/** Longer than any pause that is not taken for a standstill, and without a turn of the event loop. */
const standStill = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);

describe('a node that goes on after a standstill', () => {
  let holder: TailHolder;
  let sent: SseEvent[];
  let handedOver: number;
  let reads: number;
  let hub: Hub;
  let close: () => void;

  beforeEach(async () => {
    [holder, sent, handedOver, reads] = [HERE, [], 0, 0];
    const log: Partial<EventLog> = {
      read: async () => {
        reads += 1;
        return { known: true, complete: true, over: false, entries: [], holder };
      },
      handOver: async () => {
        handedOver += 1;
      },
      detachTail: async () => {},
    };
    const sink: Partial<EventSink> = {
      connectionId: HERE.connectionId,
      closed: false,
      congested: false,
      send: (event) => void sent.push(event),
    };
    const context = { log, logger: silentLogger, nodeToken: HERE.nodeToken } as unknown as TailContext;
    const position = { streamId: STREAM.streamId, own: START };
    const tail = new Tail(context, { ...STREAM, sink: sink as EventSink, position, primes: false });
    hub = new Hub(log as EventLog, silentLogger, async () => true);
    hub.addTail(tail, new Promise((resolve) => (close = resolve)));
    tail.start();
    await eventually(() => reads === 1);
  });
  afterEach(() => close());

  const hint = (): void => {
    const entries = [{ position: '1-0', data: '{}', end: false }];
    hub.wakeUp({ ...STREAM, holder: HERE, events: { previous: START, entries } });
  };

  it('sends nothing that it was told before, and falls silent where its stream was taken over meanwhile', async () => {
    standStill();
    holder = ELSEWHERE;
    hint();
    await eventually(() => handedOver === 1);
    expect(sent).to.deep.equal([]);
    hint();
    expect(sent, 'what it is told later').to.deep.equal([]);
  });

  it('trusts what it is told again, some time after', async () => {
    standStill();
    await eventually(() => {
      hint();
      return sent.length > 0;
    });
    expect(reads, 'and asked the log until then').to.be.greaterThan(1);
  });
});
