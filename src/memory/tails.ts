/**
 * Who sends a stream, and how far that one got: the part of the event log that is about connections.
 *
 * Not here: whether a holder's node lives. A dead holder stays until somebody takes the stream over.
 */
import type { EventLog, TailHolder } from '../core/ports/event-log.js';
import type { MemoryState, StreamEntry } from './state.js';

export interface Streams {
  find(sessionId: string, streamId: string): StreamEntry | undefined;
  /** Also begins a stream, where it may begin with a reader. */
  findOrBegin(sessionId: string, streamId: string): StreamEntry | 'gone' | 'unknown';
}

type Tails = Pick<EventLog, 'attachTail' | 'recordDelivered' | 'handOver' | 'detachTail' | 'tailHolder'>;

export function createMemoryTails(state: MemoryState, streams: Streams): Tails {
  function findHeld(sessionId: string, streamId: string, holder: TailHolder): StreamEntry | undefined {
    const stream = streams.find(sessionId, streamId);
    return isSame(stream?.holder, holder) ? stream : undefined;
  }

  return {
    async attachTail(sessionId, streamId, holder, { takeOver }) {
      const stream = streams.findOrBegin(sessionId, streamId);
      if (stream === 'gone' || stream === 'unknown') return { outcome: stream };
      const former = isSame(stream.holder, holder) ? undefined : stream.holder;
      if (former) {
        if (!takeOver) return { outcome: 'held', holder: former };
        // The first one that was taken over from and has not handed over yet: who came after it has sent nothing.
        stream.former ??= former;
        state.wake(former.nodeToken, { sessionId, streamId, holder });
      }
      stream.holder = holder;
      return { outcome: 'attached', delivered: stream.delivered, former };
    },

    async recordDelivered(sessionId, streamId, holder, delivered) {
      const stream = findHeld(sessionId, streamId, holder);
      if (!stream) return;
      stream.delivered = delivered;
      // The new holder went on without waiting; what the former one says later must not turn this back.
      stream.former = undefined;
    },

    async handOver(sessionId, streamId, former, delivered) {
      const stream = streams.find(sessionId, streamId);
      if (!stream?.holder || !isSame(stream.former, former)) return;
      const { holder } = stream;
      stream.delivered = delivered ?? stream.delivered;
      stream.former = undefined;
      state.wake(holder.nodeToken, { sessionId, streamId, holder, handedOver: stream.delivered ?? '' });
    },

    async detachTail(sessionId, streamId, holder, delivered) {
      const stream = findHeld(sessionId, streamId, holder);
      if (!stream) return;
      stream.delivered = delivered;
      stream.holder = undefined;
      stream.former = undefined;
      // Told by the log itself, so that no caller can give a stream up and forget those who wait for it.
      state.signal({ kind: 'tail-free', sessionId, streamId });
    },

    async tailHolder(sessionId, streamId) {
      return streams.find(sessionId, streamId)?.holder;
    },
  };
}

function isSame(a: TailHolder | undefined, b: TailHolder | undefined): boolean {
  return a !== undefined && a.nodeToken === b?.nodeToken && a.connectionId === b.connectionId;
}
