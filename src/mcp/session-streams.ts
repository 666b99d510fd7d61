/** Opening the streams that clients ask for: the main stream, and what is left of another one. */
import type { ChangeFeed } from '../core/change-feed.js';
import { type EventPosition, isAfter, parseDelivered } from '../core/event-id.js';
import { MainTail } from '../core/main-tail.js';
import { MAIN_STREAM, START } from '../core/ports/event-log.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import { newConnectionId } from '../core/random-id.js';
import { historyLost, Tail, type TailContext } from '../core/tail.js';
import type { LegacyEra } from './legacy-era.js';
import type { EventSink } from './outlet.js';

/** How long a response that was taken over from is waited for. Longer than a hop over the store, shorter than anybody notices. */
const HAND_OVER_MS = 300;

export type OpenSink = (connectionId: string) => EventSink;

/**
 * Sends the session's main stream into a response: from where the client says it was, else from where the last response
 * stopped. This response becomes the one that sends it. False: the session is gone; nothing was opened.
 */
export async function openMainStream(
  era: LegacyEra,
  session: SessionRecord,
  from: EventPosition | undefined,
  openSink: OpenSink,
): Promise<boolean> {
  const { store, hub, feed, metrics, nodeToken } = era.options;
  const { sessionId } = session;
  await feed.ready();
  const connectionId = newConnectionId();
  const attached = await store.log.attachTail(sessionId, MAIN_STREAM, { nodeToken, connectionId }, { takeOver: true });
  if (attached.outcome !== 'attached') return false;
  const delivered = attached.delivered === undefined ? undefined : parseDelivered(MAIN_STREAM, attached.delivered);
  const beginning = { streamId: MAIN_STREAM, own: START, changes: session.changesPosition ?? birth(session, feed) };
  const sink = openSink(connectionId);
  const tail = new MainTail(tailContext(era), {
    sessionId,
    sink,
    position: from ?? delivered ?? beginning,
    changes: store.changes,
    subscriptions: () => store.sessions.subscriptions(sessionId),
    initialized: session.initialized,
    readings: era.readings,
    isInitialized: async () => (await store.sessions.touch(sessionId))?.initialized === true,
  });
  track(era, tail, sink);
  metrics.streamOpened('main');
  // A client that says where it was is believed. Otherwise the former response is asked, by having been taken over from,
  // how far it got; `start` is called by its answer, or at last by the clock when its node is dead or slow.
  if (from || !attached.former) tail.start();
  else {
    setTimeout(async () => {
      // The client may have gone in the meantime; a lease for its connection would be held by nobody.
      if (tail.finished) return;
      // Asked again: others may have come and gone in between, and noted how far they got.
      const now = await store.log
        .attachTail(sessionId, MAIN_STREAM, { nodeToken, connectionId }, { takeOver: false })
        .catch(() => undefined);
      if (now?.outcome === 'held') tail.fallSilent();
      else if (now?.outcome === 'attached' && tail.finished) await hub.giveUp(tail);
      else if (now?.outcome === 'attached') tail.start(parseDelivered(MAIN_STREAM, now.delivered ?? ''));
      else tail.start();
    }, HAND_OVER_MS);
  }
  return true;
}

/** Sends the rest of a call's stream. False: the session is gone. */
export async function resumeStream(
  era: LegacyEra,
  session: SessionRecord,
  from: EventPosition,
  openSink: OpenSink,
): Promise<boolean> {
  const { store, metrics, nodeToken } = era.options;
  const { sessionId } = session;
  const { streamId } = from;
  const connectionId = newConnectionId();
  const attached = await store.log.attachTail(sessionId, streamId, { nodeToken, connectionId }, { takeOver: true });
  if (attached.outcome === 'gone') return false;
  const sink = openSink(connectionId);
  if (attached.outcome === 'unknown') {
    // Said, not skipped: a client that waits for the rest of this stream must not wait for ever.
    metrics.historyLost();
    sink.send(historyLost(streamId));
    sink.end();
    return true;
  }
  const tail = new Tail(tailContext(era), { sessionId, streamId, sink, position: from, primes: false });
  track(era, tail, sink);
  metrics.streamOpened('call');
  tail.start();
  return true;
}

/** By a clock that may be ahead, hence not after what has been heard of. */
function birth({ createdAt }: SessionRecord, { position = START }: ChangeFeed): string {
  const told = `${createdAt}-0`;
  return isAfter(told, position) ? position : told;
}

function tailContext(era: LegacyEra): TailContext {
  const { store, logger, metrics, nodeToken } = era.options;
  return { log: store.log, logger, metrics, nodeToken };
}

function track(era: LegacyEra, tail: Tail, sink: EventSink): void {
  const { hub, metrics } = era.options;
  const closed = new Promise<void>((resolve) => sink.onClose(resolve));
  // The former response may be on this very node; it need not wait for the bus to fall silent.
  for (const former of hub.tailsOf(tail.sessionId, tail.streamId)) void former.verify();
  hub.addTail(tail, closed);
  void closed.then(() => metrics.streamClosed(tail instanceof MainTail ? 'main' : 'call'));
}
