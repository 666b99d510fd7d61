/** Rules on sessions: they live until they are ended, and then they are gone; what is said to them arrives once, in order. */
import { AFTERMATH_MS } from './call-rules.js';
import type { SessionStory, Story } from './story.js';
import type { Violation } from './violation.js';

type Rule = (story: Story) => Violation[];

/** A second by the contract; this machine runs everything at once. */
const STREAM_END_MS = 3000;
/** How long a change may take to a subscription that is open, whatever happens: a look by the clock, and a fault. */
const CHANGE_MS = 20_000;
/** The same with the way back of a client that lost its stream, again and again; less than the clocks here are wrong. */
const DEAF_MS = 30_000;

const eachSession =
  (rule: string, judge: (session: SessionStory) => string | undefined): Rule =>
  (story) =>
    [...story.sessions.values()].flatMap((session) => {
      const what = judge(session);
      const at = session.deliveries.at(-1)?.at ?? 0;
      return what === undefined ? [] : [{ rule, what: `${session.client}: ${what}`, about: [session.session], at }];
    });

const numbersReceived = ({ deliveries }: SessionStory): number[] =>
  deliveries.flatMap(({ what, number }) => (what === 'note' && number !== undefined ? [number] : []));

/**
 * What was stored for a session reaches it. Before its first event a client has no position that it could come back to,
 * so what was under way on a connection that broke then is not owed; the last note is, in any case.
 */
const lostNote = eachSession('lost note', (session) => {
  if (session.endingAt !== Number.POSITIVE_INFINITY) return undefined;
  const received = numbersReceived(session);
  const stored = session.notes.filter(({ phase }) => phase === 'stored').map(({ number }) => number);
  const first = received.length === 0 ? Math.max(...stored) : Math.min(...received);
  const lost = stored.filter((number) => number >= first && !received.includes(number));
  return lost.length === 0 ? undefined : `notes ${lost.join(', ')} were stored and never came`;
});

const doubledNote = eachSession('doubled note', (session) => {
  const received = numbersReceived(session);
  const doubled = received.filter((number, i) => received.indexOf(number) !== i);
  return doubled.length === 0 ? undefined : `notes ${doubled.join(', ')} came more than once`;
});

const notesInDisorder = eachSession('disorder', (session) => {
  const received = numbersReceived(session);
  const wrong = received.findIndex((number, i) => i > 0 && number < (received[i - 1] as number));
  return wrong === -1 ? undefined : `note ${received[wrong]} came after ${received[wrong - 1]}`;
});

const statuses: Rule = (story) =>
  story.refused.flatMap((refused) => {
    const { status, route, session, since, at, op, message } = refused;
    const about = [op, session].filter((name) => name !== undefined);
    const violation = (rule: string, why: string): Violation[] => [
      { rule, what: `${route}: ${status} ${why}; ${message ?? ''}`, about, at },
    ];
    if (status === 503) {
      const leaving = message?.includes('leaving') === true;
      const away = story.during(
        since,
        at,
        AFTERMATH_MS,
        ({ storeAway, kind }) => storeAway || (leaving && kind === 'roll'),
      );
      return away ? [] : violation('unavailable in calm', 'while the store was there');
    }
    if (status === 404) {
      if (session !== undefined && (!story.sessions.has(session) || story.ended(session, at))) return [];
      return violation('session lost', 'for a session that lives');
    }
    // The stream of HTTP+SSE was open nowhere at that moment: its client is told where to open it again.
    if (status === 410) return [];
    return violation(status >= 500 ? 'server fault' : 'unexpected status', '');
  });

const resurrected: Rule = (story) => [
  ...story.served.flatMap(({ session, route, since, at }) =>
    since > (story.sessions.get(session)?.deletedAt ?? Number.POSITIVE_INFINITY)
      ? [{ rule: 'resurrected', what: `${route} was served after the session had been deleted`, about: [session], at }]
      : [],
  ),
  ...story.leftovers.map(({ session, keys, at }) => ({
    rule: 'resurrected',
    what: `the session was deleted, and the store has ${keys.join(', ')}`,
    about: [session],
    at,
  })),
];

const openStream: Rule = (story) =>
  story.openStreams.flatMap(({ session, afterMs, at }) => {
    const faulty = story.during(at - afterMs, at, AFTERMATH_MS, () => true);
    if (afterMs <= STREAM_END_MS || (faulty && afterMs < 30_000)) return [];
    return [{ rule: 'open stream', what: `${afterMs} ms after the deletion`, about: [session], at }];
  });

/** A change that was announced while a subscription was open comes to it in time: that one, or one after it. */
const lostChange: Rule = (story) => {
  const touches = [...story.calls.values()].filter(
    ({ call, deliveries }) =>
      call.tool === 'touch' && deliveries.some(({ what, error }) => what === 'answer' && !error),
  );
  return story.subscriptions.flatMap((opened) => {
    if (opened.phase !== 'open') return [];
    const { subscription } = opened;
    const closedAt = story.subscriptions.find(
      (other) => other.subscription === subscription && other.phase === 'closed',
    )?.at;
    const heard = story.deliveries.filter(
      ({ stream, session, what }) => what === 'change' && (opened.session ? session : stream) === subscription,
    );
    const lost = touches.find(({ call, done }) => {
      const doneAt = done?.at ?? 0;
      return (
        call.at > opened.at &&
        doneAt + CHANGE_MS < (closedAt ?? 0) &&
        !heard.some(({ at, uri }) => at >= call.at && at <= doneAt + DEAF_MS && uri === opened.uri)
      );
    });
    if (!lost) return [];
    const { op, at } = lost.call;
    return [
      { rule: 'lost change', what: `${op} was not heard of by ${subscription} in time`, about: [op, subscription], at },
    ];
  });
};

export const SESSION_RULES: readonly Rule[] = [
  lostNote,
  doubledNote,
  notesInDisorder,
  statuses,
  resurrected,
  openStream,
  lostChange,
];
