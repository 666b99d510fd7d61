/** Rules on calls: answered once, to whom they belong, in order, and done once. */
import type { CallStory, Story } from './story.js';
import type { Violation } from './violation.js';

/** After a fault, how long its traces may be seen: a breaker that closes, leases taken anew, on a machine that is busy. */
export const AFTERMATH_MS = 8000;

type Rule = (story: Story) => Violation[];

const eachCall =
  (rule: string, judge: (call: CallStory, story: Story) => string | undefined): Rule =>
  (story) =>
    [...story.calls.values()].flatMap((call) => {
      const what = judge(call, story);
      const at = call.done?.at ?? call.call.at;
      return what === undefined
        ? []
        : [{ rule, what: `${call.call.op} (${call.call.tool}): ${what}`, about: [call.call.op], at }];
    });

const isError = ({ error }: { error?: unknown }): boolean => error !== undefined;

/** What was taken over is answered, however often the connection breaks. */
const lostAnswer = eachCall('lost answer', ({ accepted, done }) => {
  if (done?.outcome === 'lost') return 'it was accepted, and its answer never came';
  if (accepted && !done) return 'it was accepted, and its client still waits';
  return undefined;
});

/** A success that was told is a fact: in the ledger, and in the session's own state. */
const lostEffect = eachCall('lost effect', ({ call, deliveries, effects, tallies }) => {
  const succeeded = deliveries.some((delivery) => delivery.what === 'answer' && !isError(delivery));
  if (!succeeded || (call.tool !== 'effect' && call.tool !== 'late_effect')) return undefined;
  if (effects.length === 0) return 'its success was told, and nothing was done';
  if (tallies.some(({ value }) => value === 0)) return "its success was told, and the session's state has forgotten it";
  return undefined;
});

const doubledAnswer = eachCall('doubled answer', ({ deliveries }) => {
  const answers = deliveries.filter(({ what, replay }) => what === 'answer' && !replay);
  return answers.length > 1 ? `${answers.length} answers` : undefined;
});

const doubledEvent: Rule = (story) => {
  const seen = new Set<string>();
  return story.deliveries.flatMap(({ session, stream, eventId, replay, at, op }) => {
    if (eventId === undefined || replay) return [];
    const key = `${session} ${stream} ${eventId}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [
      { rule: 'doubled event', what: `${eventId} of ${stream} was sent twice`, about: [op ?? String(session)], at },
    ];
  });
};

/** One run, and for what may be repeated one more for each time a node may have been taken for dead: one claimer each. */
const doubledEffect = eachCall('doubled effect', ({ call, effects, done }, story) => {
  if (effects.length <= 1) return undefined;
  if (!call.repeatable) return `it was done ${effects.length} times, and must not be repeated`;
  // A client that gave up does not end its call: that goes on, and may be taken over, until it is answered to nobody.
  const until = done?.outcome === 'answered' ? done.at : Number.POSITIVE_INFINITY;
  const leaseMs = story.run?.leaseMs ?? 0;
  const chances = story.windows.filter(({ from, to }) => from <= until && call.at <= to + 2 * leaseMs);
  const deaths = chances.reduce((sum, { takesNodes }) => sum + takesNodes, 0);
  if (effects.length <= 1 + deaths) return undefined;
  return `it was run ${effects.length} times, while ${deaths} nodes may have died`;
});

/** Whoever reads again reads the same: what was sent had been stored, and nothing was stored by who had lost the call. */
const changedHistory = eachCall('changed history', ({ deliveries, call }) => {
  const sent = deliveries.filter(
    ({ replay, stream, eventId }) => !replay && stream === call.op && eventId !== undefined,
  );
  const ids = sent.map(({ eventId }) => eventId);
  const replays = new Map<string, (string | undefined)[]>();
  for (const { replay, connection, eventId } of deliveries) {
    if (replay) replays.set(connection, [...(replays.get(connection) ?? []), eventId]);
  }
  for (const again of replays.values()) {
    // All but the first, where the first one carried data; all, where it did not.
    const same = [ids, ids.slice(1)].some((expected) => expected.join() === again.join());
    if (!same) return `sent was ${ids.join(' ')}, the log has ${again.join(' ')}`;
  }
  return undefined;
});

const crossed: Rule = (story) =>
  story.deliveries.flatMap(({ op, claim, session, user, what, at }) => {
    const about = [op, claim?.op].filter((name) => name !== undefined);
    const violation = (why: string): Violation[] => [{ rule: 'crossed', what: `${what}: ${why}`, about, at }];
    if (op !== undefined && !story.calls.has(op)) return violation(`it names a request that was never sent: ${op}`);
    if (claim === undefined) return [];
    if (claim.user !== undefined && claim.user !== user) return violation(`${user} was told what is for ${claim.user}`);
    const owner = session ?? story.calls.get(op ?? '')?.call.session;
    if (claim.session !== undefined && owner !== undefined && claim.session !== owner) {
      return violation(`session ${owner} was told what is for ${claim.session}`);
    }
    if (claim.op === undefined) return [];
    if (op !== undefined && claim.op !== op) return violation(`${op} was told what is for ${claim.op}`);
    const call = story.calls.get(claim.op)?.call;
    if (!call) return violation(`it speaks of a call that was never made: ${claim.op}`);
    return call.user === user ? [] : violation(`${user} was told of ${claim.op}, a call of ${call.user}`);
  });

const disorder = eachCall('disorder', ({ deliveries }) => {
  const numbers = deliveries.flatMap(({ what, number, replay }) =>
    what === 'progress' && !replay ? [number ?? 0] : [],
  );
  const wrong = numbers.findIndex((number, i) => i > 0 && number <= (numbers[i - 1] as number));
  if (wrong !== -1) return `progress ${numbers.join(' ')}`;
  const answered = deliveries.findIndex(({ what, replay }) => what === 'answer' && !replay);
  const late = deliveries.slice(answered + 1).some(({ what, replay }) => what === 'progress' && !replay);
  return answered !== -1 && late ? 'progress after the answer' : undefined;
});

/** An error says that it may be tried again, or it is a fault; a store that is away may be told by the handler itself. */
const wrongError = eachCall('wrong error', ({ call, deliveries }, story) => {
  const wrong = deliveries.find(({ what, error }) => what === 'answer' && error !== undefined && !error.retryable);
  if (!wrong?.error || story.ended(call.session, wrong.at)) return undefined;
  const { code, message } = wrong.error;
  const away = story.during(call.at, wrong.at, AFTERMATH_MS, ({ storeAway }) => storeAway);
  if (code === 0 && away) return undefined;
  return `${code} ${message}`;
});

const historyLost: Rule = (story) =>
  story.deliveries.flatMap(({ what, stream, session, at }) =>
    what === 'history_lost'
      ? [{ rule: 'history lost', what: `the log of ${stream} is gone`, about: [stream, String(session)], at }]
      : [],
  );

export const CALL_RULES: readonly Rule[] = [
  lostAnswer,
  lostEffect,
  doubledAnswer,
  doubledEvent,
  doubledEffect,
  changedHistory,
  crossed,
  disorder,
  wrongError,
  historyLost,
];
