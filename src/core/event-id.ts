/**
 * Event ids: which stream, and how far. They mean nothing outside their session.
 *
 * `<stream>.<position>` on a call's stream. The main stream merges two logs, the session's own and the fleet's
 * changes, so its ids carry both positions: `main.<position>.<position in the changes>`.
 */
import { MAIN_STREAM } from './ports/event-log.js';

export interface EventPosition {
  readonly streamId: string;
  readonly own: string;
  /** Main stream only. */
  readonly changes?: string;
}

const FORM = /^([\w-]{1,32})\.(\d{1,16}-\d{1,16})(?:\.(\d{1,16}-\d{1,16}))?$/;

export function formatEventId({ streamId, own, changes }: EventPosition): string {
  return changes === undefined ? `${streamId}.${own}` : `${streamId}.${own}.${changes}`;
}

/** Undefined: not an event id of ours. */
export function parseEventId(id: string): EventPosition | undefined {
  const parts = FORM.exec(id);
  if (!parts) return undefined;
  const [, streamId, own, changes] = parts as unknown as [string, string, string, string | undefined];
  if ((streamId === MAIN_STREAM) !== (changes !== undefined)) return undefined;
  return { streamId, own, ...(changes !== undefined && { changes }) };
}

/** What is kept as "delivered so far" of a stream: its positions without its name. */
export function formatDelivered({ own, changes }: EventPosition): string {
  return changes === undefined ? own : `${own}.${changes}`;
}

export function parseDelivered(streamId: string, delivered: string): EventPosition | undefined {
  return parseEventId(`${streamId}.${delivered}`);
}

/** Whether position `a` comes after `b`, in one and the same log. */
export function isAfter(a: string, b: string): boolean {
  const [aTime = 0, aSequence = 0] = a.split('-').map(Number);
  const [bTime = 0, bSequence = 0] = b.split('-').map(Number);
  return aTime > bTime || (aTime === bTime && aSequence > bSequence);
}
