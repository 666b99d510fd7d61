/** Events, streams and holders as the suites of the event log use them. */
import { type AppendOutcome, MAIN_STREAM, type TailHolder } from '../../src/core/ports/event-log.js';
import type { Store } from '../../src/core/ports/store.js';
import { openSession, timesOf } from './harness.js';

/** More than any test stores. */
export const ALL = 100_000;

export const TAKE_OVER = { takeOver: true };
export const IF_FREE = { takeOver: false };

/** Holders on nodes that do not listen. */
export const ONE: TailHolder = { nodeToken: 'token-one', connectionId: 'connection-one' };
export const TWO: TailHolder = { nodeToken: 'token-two', connectionId: 'connection-two' };

/** A call that owns the stream `call`, and the options of its first append. */
export const CALL = { callId: 'call', owner: 'owner' };
export const opening = (holder: TailHolder) => ({ call: { ...CALL, open: { holder, journal: '{}' } } });

export const texts = (count: number, from = 0) => timesOf(count).map((i) => ({ data: `event ${from + i}` }));

export function appended(outcome: AppendOutcome): Extract<AppendOutcome, { outcome: 'appended' }> {
  if (outcome.outcome !== 'appended') throw new Error(`not appended: ${outcome.outcome}`);
  return outcome;
}

/** A new session with one stream that has these events. */
export async function openStream(
  store: Store,
  events: readonly { data: string; end?: boolean }[],
  streamId = MAIN_STREAM,
) {
  const { sessionId } = await openSession(store);
  const { entries } = appended(await store.log.append(sessionId, streamId, events));
  const position = (index: number) => entries.at(index)?.position ?? 'none';
  return { sessionId, streamId, entries, position };
}
