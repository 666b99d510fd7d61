/** Streams as Redis streams, with one sender each. Guarantees: core/ports/event-log.ts. */
import { type EventLog, type LogEntry, MAIN_STREAM, type TailHolder } from '../core/ports/event-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { scripts } from './scripts.js';

/** Larger events are read from the log by who needs them: a wake-up goes through pub/sub buffers of all nodes' size. */
const WAKE_UP_PAYLOAD_BYTES = 16_384;

type RawEntry = [position: string, fields: string[]];

export function createRedisEventLog(
  redis: RedisConnection,
  keys: Keys,
  limits: StoreLimits,
  ownToken: () => string,
): EventLog {
  const openLife = String(Math.max(limits.sessionTtlMs, limits.streamTtlMs));
  const finishedLife = String(limits.streamTtlMs);
  const tail = (sessionId: string, streamId: string) => [keys.session(sessionId), keys.stream(sessionId, streamId)];

  return {
    async append(sessionId, streamId, events, { owner = '', open } = {}) {
      const data = events.flatMap((event) => [event.data, event.end ? '1' : '']);
      const [status, previous, holder, ...positions] = await redis.run<string[]>(
        scripts.appendEvents,
        [
          keys.session(sessionId),
          keys.streams(sessionId),
          keys.stream(sessionId, streamId),
          keys.log(sessionId, streamId),
        ],
        [
          streamId,
          owner,
          open ? '1' : '',
          open?.holder ? formatHolder(open.holder) : '',
          openLife,
          finishedLife,
          String(limits.streamMaxEvents),
          ownToken(),
          keys.wakeUpChannels,
          sessionId,
          String(WAKE_UP_PAYLOAD_BYTES),
          ...data,
        ],
      );
      if (status !== 'ok') return { outcome: status as 'gone' | 'fenced' };
      return {
        outcome: 'appended',
        previous: previous as string,
        holder: parseHolder(holder),
        entries: events.map((event, i) => ({
          position: positions[i] as string,
          data: event.data,
          end: event.end ?? false,
        })),
      };
    },

    async read(sessionId, streamId, after, limit) {
      const [known, complete, entries] = await redis.run<[number, number, RawEntry[]]>(
        scripts.readEvents,
        [keys.log(sessionId, streamId)],
        [after, String(limit)],
      );
      return { known: known === 1, complete: complete === 1, entries: entries.map(parseEntry) };
    },

    async attachTail(sessionId, streamId, holder, { takeOver }) {
      const [status, detail = ''] = await redis.run<string[]>(
        scripts.attachTail,
        [keys.session(sessionId), keys.streams(sessionId), keys.stream(sessionId, streamId)],
        [
          streamId,
          formatHolder(holder),
          takeOver ? '1' : '',
          openLife,
          keys.wakeUpChannels,
          sessionId,
          streamId === MAIN_STREAM ? '1' : '',
        ],
      );
      if (status === 'gone' || status === 'unknown') return { outcome: status };
      if (status === 'held') return { outcome: 'held', holder: parseHolder(detail) as TailHolder };
      return { outcome: 'attached', delivered: detail === '' ? undefined : detail };
    },

    async recordDelivered(sessionId, streamId, holder, delivered) {
      await redis.run(scripts.recordDelivered, tail(sessionId, streamId), [formatHolder(holder), delivered]);
    },

    async detachTail(sessionId, streamId, holder, delivered) {
      const signal = JSON.stringify({ kind: 'tail-free', sessionId, streamId });
      const args = [formatHolder(holder), delivered, keys.bus, signal];
      await redis.run(scripts.detachTail, tail(sessionId, streamId), args);
    },

    async tailHolder(sessionId, streamId) {
      const key = keys.stream(sessionId, streamId);
      return parseHolder((await redis.command<string | null>(key, 'HGET', key, 'tail')) ?? undefined);
    },
  };
}

const formatHolder = (holder: TailHolder): string => `${holder.nodeToken} ${holder.connectionId}`;

function parseHolder(text: string | undefined): TailHolder | undefined {
  const [nodeToken, connectionId] = (text ?? '').split(' ');
  return nodeToken && connectionId ? { nodeToken, connectionId } : undefined;
}

function parseEntry([position, fields]: RawEntry): LogEntry {
  return { position, data: fields[1] ?? '', end: fields.length > 2 };
}
