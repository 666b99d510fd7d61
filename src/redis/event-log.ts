/** Streams as Redis streams, with one sender each. Guarantees: core/ports/event-log.ts. */
import { type EventLog, type LogEntry, MAIN_STREAM, type TailHolder } from '../core/ports/event-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import { comparePositions } from './positions.js';
import { scripts } from './scripts.js';

/** Larger events are read from the log by who needs them: what is published lands in a buffer for each subscriber. */
const WAKE_UP_PAYLOAD_BYTES = 16_384;

/** Fields: d, data, p, position before, b, batch, and e, 1 at the end. */
type RawEntry = [position: string, fields: string[]];

export function createRedisEventLog(
  redis: RedisConnection,
  keys: Keys,
  limits: StoreLimits,
  ownToken: () => string,
): EventLog {
  const openLife = String(openLogLife(limits));
  const running = String(RUNNING_LIFE_MS);
  const finishedLife = String(limits.streamTtlMs);
  const tail = (sessionId: string, streamId: string) => [keys.session(sessionId), keys.stream(sessionId, streamId)];

  return {
    async append(sessionId, streamId, events, { batch = '', again = false, call } = {}) {
      const [status, previous, holder, ...positions] = await redis.run<string[]>(
        scripts.appendEvents,
        [
          keys.session(sessionId),
          keys.streams(sessionId),
          keys.stream(sessionId, streamId),
          keys.log(sessionId, streamId),
          call ? keys.stream(sessionId, call.callId) : keys.session(sessionId),
          keys.running(sessionId),
        ],
        [
          sessionId,
          streamId,
          call?.callId ?? '',
          call?.owner ?? '',
          call?.open ? '1' : '',
          call?.open?.holder ? formatHolder(call.open.holder) : '',
          call?.open?.journal ?? '',
          call?.finish ? '1' : '',
          batch,
          openLife,
          finishedLife,
          String(limits.streamMaxEvents),
          ownToken(),
          keys.wakeUpChannels,
          String(WAKE_UP_PAYLOAD_BYTES),
          again ? '1' : '',
          running,
          ...events.flatMap((event) => [event.data, event.end ? '1' : '']),
        ],
      );
      if (status !== 'ok') return { outcome: status as 'gone' | 'fenced' };
      return {
        outcome: 'appended',
        previous: previous as string,
        holder: parseHolder(holder),
        entries: events.map(({ data, end = false }, i) => ({ position: positions[i] as string, data, end })),
      };
    },

    async read(sessionId, streamId, after, limit) {
      const [known, over, holder, raw] = await redis.run<[number, number, string, RawEntry[]]>(
        scripts.readEvents,
        [keys.log(sessionId, streamId), keys.stream(sessionId, streamId)],
        [after, String(limit)],
      );
      return {
        known: known === 1,
        over: over === 1,
        complete: isGapless(after, raw[0]?.[1][3]),
        entries: raw.map(parseEntry),
        holder: parseHolder(holder),
      };
    },

    async renew(sessionId, streamIds) {
      const both = [keys.session(sessionId), keys.streams(sessionId)];
      await redis.run(scripts.renewStreams, both, [keys.sessionTag(sessionId), openLife, running, ...streamIds]);
    },

    async attachTail(sessionId, streamId, holder, { takeOver }) {
      const [status, detail = '', former] = await redis.run<string[]>(
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
      return { outcome: 'attached', delivered: detail === '' ? undefined : detail, former: parseHolder(former) };
    },

    async recordDelivered(sessionId, streamId, holder, delivered) {
      await redis.run(scripts.recordDelivered, tail(sessionId, streamId), [formatHolder(holder), delivered]);
    },

    async handOver(sessionId, streamId, former, delivered) {
      const args = [formatHolder(former), delivered ?? '', keys.wakeUpChannels, sessionId, streamId];
      await redis.run(scripts.handOverTail, tail(sessionId, streamId), args);
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

/**
 * A call counts as running for this long unless it is renewed, which happens every 20 s at least. It is finished by its
 * node or by a survivor long before; this is for the day on which nobody survives.
 */
export const RUNNING_LIFE_MS = 60_000;

/** A log that is not finished lives as long as its session may be idle: a call can wait for its user. */
export function openLogLife(limits: StoreLimits): number {
  return Math.max(limits.sessionTtlMs, limits.streamTtlMs);
}

/** Each entry knows the position before it, so a gap shows without asking for what is not there. */
export function isGapless(after: string, before: string | undefined): boolean {
  return before === undefined || comparePositions(before, after) <= 0;
}

const formatHolder = (holder: TailHolder): string => `${holder.nodeToken} ${holder.connectionId}`;

function parseHolder(text: string | undefined): TailHolder | undefined {
  const [nodeToken, connectionId] = (text ?? '').split(' ');
  return nodeToken && connectionId ? { nodeToken, connectionId } : undefined;
}

function parseEntry([position, fields]: RawEntry): LogEntry {
  return { position, data: fields[1] ?? '', end: fields.length > 6 };
}
