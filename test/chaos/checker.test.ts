/**
 * The checker itself: a clean history passes, and each kind of fault planted into it is found, under its own name and
 * with the entries that show it.
 */

import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { check, RULES } from '../../chaos/checker/check.js';
import { historyOf } from '../../chaos/checker/violation.js';
import type { Delivery, Entry } from '../../chaos/history.js';
import { readHistory } from '../../chaos/history.js';

const SAMPLE = fileURLToPath(new URL('./clean-history.jsonl', import.meta.url));
const S = 'session-1';
const OTHER = 'session-2';

/** Two sessions of two users, one call of each kind, a fault in the middle; everything as it should be. */
function clean(): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  const add = (body: object): void => {
    at += 100;
    entries.push({ at, ...body } as Entry);
  };
  const delivered = (body: Partial<Delivery>): void =>
    add({ type: 'delivery', session: S, user: 'ada', stream: 'op1', connection: 'c1', ...body });
  add({ type: 'run', seed: 1, minutes: 1, leaseMs: 2000 });
  add({ type: 'session', session: S, user: 'ada', client: 'raw', phase: 'opened' });
  add({ type: 'session', session: OTHER, user: 'bob', client: 'raw', phase: 'opened' });
  add({ type: 'call', op: 'op1', tool: 'effect', session: S, user: 'ada', client: 'raw', repeatable: false });
  add({ type: 'accepted', op: 'op1' });
  delivered({ what: 'progress', eventId: 'x.1', op: 'op1', number: 1, claim: { op: 'op1' } });
  add({ type: 'fault', fault: 'f1', kind: 'Redis stopped', phase: 'begin', storeAway: true, takesNodes: 1 });
  add({ type: 'refused', status: 503, route: 'POST /mcp', session: S, since: at - 50 });
  add({ type: 'fault', fault: 'f1', kind: 'Redis stopped', phase: 'end', storeAway: true, takesNodes: 1 });
  delivered({ what: 'progress', eventId: 'x.2', op: 'op1', number: 2, claim: { op: 'op1' }, connection: 'c2' });
  delivered({ what: 'answer', eventId: 'x.3', op: 'op1', claim: { op: 'op1', session: S, user: 'ada' } });
  add({ type: 'done', op: 'op1', outcome: 'answered' });
  for (const number of [2, 3]) {
    delivered({ what: 'progress', eventId: `x.${number}`, op: 'op1', number, replay: true, connection: 'r1' });
  }
  add({ type: 'call', op: 'op2', tool: 'work', session: OTHER, user: 'bob', client: 'raw', repeatable: true });
  add({ type: 'done', op: 'op2', outcome: 'unknown' });
  add({ type: 'subscription', subscription: 'sub', session: undefined, user: 'bob', uri: 'u', phase: 'open' });
  add({ type: 'subscription', subscription: S, session: S, user: 'ada', uri: 'u', phase: 'open' });
  add({ type: 'call', op: 'op3', tool: 'touch', session: S, user: 'ada', client: 'raw', repeatable: true });
  delivered({ what: 'answer', stream: 'op3', op: 'op3', claim: { op: 'op3', session: S, user: 'ada' } });
  add({ type: 'done', op: 'op3', outcome: 'answered' });
  delivered({ what: 'change', session: undefined, user: 'bob', stream: 'sub', uri: 'u' });
  delivered({ what: 'change', stream: 'main', eventId: 'main.0', uri: 'u' });
  for (const number of [1, 2]) {
    add({ type: 'note', session: S, number, phase: 'stored' });
    delivered({ what: 'note', stream: 'main', eventId: `main.${number}`, number, claim: { session: S } });
  }
  add({ type: 'session', session: OTHER, user: 'bob', client: 'raw', phase: 'ending' });
  add({ type: 'session', session: OTHER, user: 'bob', client: 'raw', phase: 'deleted' });
  add({ type: 'refused', status: 404, route: 'POST /mcp', session: OTHER, since: at });
  add({ type: 'effect', op: 'op1', session: S, user: 'ada', node: 'node-a' });
  add({ type: 'effect', op: 'op2', session: OTHER, user: 'bob', node: 'node-a' });
  add({ type: 'tally', op: 'op1', session: S, value: 1 });
  at += 60_000;
  add({ type: 'subscription', subscription: S, session: S, user: 'ada', uri: 'u', phase: 'closed' });
  add({ type: 'subscription', subscription: 'sub', session: undefined, user: 'bob', uri: 'u', phase: 'closed' });
  return entries;
}

type Plant = (history: Entry[]) => void;
const last = (history: Entry[]): number => (history.at(-1)?.at ?? 0) + 100;
const find = (history: Entry[], matches: (entry: Entry) => boolean): Entry => {
  const entry = history.find(matches);
  if (!entry) throw new Error('no such entry');
  return entry;
};
const without =
  (matches: (entry: Entry) => boolean): Plant =>
  (history) =>
    void history.splice(history.findIndex(matches), 1);
const again =
  (matches: (entry: Entry) => boolean, changes: object = {}): Plant =>
  (history) =>
    void history.push({ ...find(history, matches), ...changes, at: last(history) } as Entry);
const changed =
  (matches: (entry: Entry) => boolean, changes: object): Plant =>
  (history) => {
    const index = history.findIndex(matches);
    history[index] = { ...(history[index] as Entry), ...changes } as Entry;
  };
const plus =
  (body: object): Plant =>
  (history) =>
    void history.push({ at: last(history), ...body } as Entry);

const answerOf =
  (op: string) =>
  (entry: Entry): boolean =>
    entry.type === 'delivery' && entry.what === 'answer' && entry.op === op;
const delivery =
  (what: Delivery['what'], number?: number) =>
  (entry: Entry): boolean =>
    entry.type === 'delivery' &&
    entry.what === what &&
    !entry.replay &&
    (number === undefined || entry.number === number);
const toldOnMain = (entry: Entry): boolean => delivery('change')(entry) && (entry as Delivery).stream === 'main';
const isDone =
  (op: string) =>
  (entry: Entry): boolean =>
    entry.type === 'done' && entry.op === op;
const refusal =
  (status: number, session: string | undefined = S): Plant =>
  (history) =>
    plus({ type: 'refused', status, route: 'POST /mcp', session, since: last(history), message: '' })(history);

const PLANTS: Record<(typeof RULES)[number], Record<string, Plant>> = {
  'lost answer': {
    'a call given up after its acceptance': changed(isDone('op1'), { outcome: 'lost' }),
    'a call that is still waited for': without(isDone('op1')),
  },
  'lost effect': {
    'a success without an effect': without((entry) => entry.type === 'effect' && entry.op === 'op1'),
    'a success that the session forgot': changed((entry) => entry.type === 'tally', { value: 0 }),
  },
  'lost note': {
    'a stored message in the middle': plus({ type: 'note', session: S, number: 3, phase: 'stored' }),
  },
  'lost change': {
    'a change that was not heard of': without(delivery('change')),
    'a change that a main stream was not told of': without(toldOnMain),
    'a main stream that was deaf for a while': changed(toldOnMain, { at: 50_000 }),
  },
  'doubled answer': { 'an answer twice': again(answerOf('op1'), { eventId: 'x.9' }) },
  'doubled event': { 'an event twice': again(delivery('progress', 2)) },
  'doubled note': { 'a message twice, under another event id': again(delivery('note', 2), { eventId: 'main.9' }) },
  'doubled effect': {
    'one that must not be repeated': again((entry) => entry.type === 'effect' && entry.op === 'op1'),
    'more runs than nodes may have died': (history) => {
      for (const _ of [1, 2, 3]) again((entry) => entry.type === 'effect' && entry.op === 'op2')(history);
    },
  },
  'changed history': {
    'an event that is not in the log': without((entry) => entry.type === 'delivery' && entry.replay === true),
    'an event stored after the answer': plus({
      type: 'delivery',
      session: S,
      user: 'ada',
      stream: 'op1',
      connection: 'r1',
      what: 'answer',
      eventId: 'x.4',
      op: 'op1',
      replay: true,
    }),
  },
  'history lost': {
    'a log that is gone': plus({
      type: 'delivery',
      session: S,
      user: 'ada',
      stream: 'op1',
      connection: 'c1',
      what: 'history_lost',
    }),
  },
  crossed: {
    'the answer to another call': changed(answerOf('op1'), { claim: { op: 'op3', session: S, user: 'ada' } }),
    "another user's answer": changed(answerOf('op1'), { claim: { op: 'op1', session: S, user: 'bob' } }),
    "another session's message": changed(delivery('note', 2), { claim: { session: OTHER } }),
    'an answer that nobody asked for': changed(answerOf('op3'), { op: 'no call of mine: 7' }),
  },
  disorder: {
    'progress that goes back': changed(delivery('progress', 2), { number: 1 }),
    'progress after the answer': again(delivery('progress', 2), { eventId: 'x.8', number: 3 }),
    'messages out of order': changed(delivery('note', 1), { number: 5 }),
  },
  'wrong error': {
    'an error that does not say that it may be tried again': changed(answerOf('op3'), {
      error: { code: -32603, message: 'lost', retryable: false },
      at: 30_000,
    }),
  },
  'session lost': { 'not found, while it lives': refusal(404) },
  'unavailable in calm': { '503, while the store is there': refusal(503) },
  'server fault': { '500 at any time': refusal(500) },
  'unexpected status': { '499 at any time': refusal(499, undefined) },
  resurrected: {
    'a request served after the deletion': (history) =>
      plus({ type: 'served', session: OTHER, route: 'POST /mcp', since: last(history) })(history),
    'keys that are left': plus({ type: 'leftover', session: OTHER, keys: [`session:${OTHER}`] }),
  },
  'open stream': { 'a stream long after the deletion': plus({ type: 'open-stream', session: OTHER, afterMs: 9000 }) },
};

describe('the checker of histories', () => {
  it('finds nothing in a clean one', () => {
    expect(check(clean())).to.deep.equal([]);
  });

  it('finds nothing in one that was recorded', () => {
    const entries = readHistory(SAMPLE);
    expect(entries.length).to.be.above(300);
    expect(check(entries)).to.deep.equal([]);
  });

  for (const rule of RULES) {
    for (const [what, plant] of Object.entries(PLANTS[rule])) {
      it(`finds ${what}: ${rule}`, () => {
        const history = clean();
        plant(history);
        const violations = check(history);
        expect(violations.map((violation) => violation.rule)).to.include(rule);
        const violation = violations.find((one) => one.rule === rule);
        if (violation) expect(historyOf(violation, history), 'shown').to.not.deep.equal([]);
      });
    }
  }

  it('finds an answer that goes to another call of a recorded history', () => {
    const history = readHistory(SAMPLE);
    const answers = history.filter((entry) => entry.type === 'delivery' && entry.what === 'answer' && entry.claim?.op);
    const [one, other] = answers as [Entry & Delivery, Entry & Delivery];
    const crossed = history.map((entry) => (entry === one ? { ...one, claim: other.claim } : entry));
    expect(check(crossed).map(({ rule }) => rule)).to.include('crossed');
  });

  it('excuses a run of what may be repeated for each node that may have died, and no more', () => {
    const history = clean();
    const kill = { type: 'fault', fault: 'f2', kind: 'kill -9 of a node', storeAway: false, takesNodes: 1 };
    const call = find(history, (entry) => entry.type === 'call' && entry.op === 'op2');
    history.push({ ...kill, phase: 'begin', at: call.at } as Entry, { ...kill, phase: 'end', at: call.at } as Entry);
    const effect = (entry: Entry): boolean => entry.type === 'effect' && entry.op === 'op2';
    again(effect)(history);
    expect(check(history)).to.deep.equal([]);
    for (const _ of [1, 2, 3]) again(effect)(history);
    expect(check(history).map(({ rule }) => rule)).to.deep.equal(['doubled effect']);
    changed(isDone('op2'), { outcome: 'answered' })(history);
    expect(check(history).map(({ rule }) => rule)).to.deep.equal(['doubled effect']);
  });
});
