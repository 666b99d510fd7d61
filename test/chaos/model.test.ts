/** The design's two delicate protocols, in every order of events; and models of wrong designs, which must be caught. */
import { expect } from 'chai';
import { callRecovery, type RecoveryMutant } from '../../chaos/model/call-recovery.js';
import { explore, type Model } from '../../chaos/model/explore.js';
import { type TailMutant, tailLease } from '../../chaos/model/tail-lease.js';

/** A model that cannot do much would hold any invariant. */
const FEWEST_STATES = 1000;

function expectSound<State>(model: Model<State>, title: Mocha.Context): void {
  const { states, endings, fault } = explore(model);
  expect(fault, JSON.stringify(fault, null, 1)).to.equal(undefined);
  expect(states, 'states').to.be.above(FEWEST_STATES);
  expect(endings, 'endings').to.be.above(0);
  if (title.test) title.test.title += ` (${states} states)`;
}

describe('the model of call recovery', () => {
  for (const repeatable of [true, false]) {
    const kind = repeatable ? 'may be repeated' : 'must not be repeated';
    it(`has one claimer and one final answer for a call that ${kind}`, function () {
      expectSound(callRecovery({ repeatable }), this);
    }).timeout(60_000);
  }

  const MUTANTS: Record<RecoveryMutant, RegExp> = {
    'no fencing': /final answers|shown 2 answers/,
    'doubled claim': /claimed 2 times|runs after|done 2 times/,
    'send before store': /shown/,
    'journal before list': /nobody answers/,
    'listed once': /nobody answers/,
    'places of others removed': /nobody answers/,
  };
  for (const [mutant, words] of Object.entries(MUTANTS)) {
    it(`catches ${mutant}`, () => {
      const faults = [true, false].map(
        (repeatable) => explore(callRecovery({ repeatable, mutant: mutant as RecoveryMutant })).fault?.what,
      );
      expect(faults.join('; ')).to.match(words);
    }).timeout(60_000);
  }
});

describe('the model of the tail lease', () => {
  for (const bounds of [
    { events: 2, connections: 2 },
    { events: 1, connections: 3 },
  ]) {
    const size = `${bounds.events} events, ${bounds.connections} connections`;
    it(`sends every stored event at least once, and none by who has lost the stream: ${size}`, function () {
      expectSound(tailLease(bounds), this);
    }).timeout(60_000);
  }

  const MUTANTS: Record<TailMutant, RegExp> = {
    'no fencing': /after another one had taken over|sent twice/,
    'send before store': /not stored/,
    'hints only': /though a response is open/,
    'note by anybody': /were sent|sent twice/,
  };
  for (const [mutant, words] of Object.entries(MUTANTS)) {
    it(`catches ${mutant}`, () => {
      expect(explore(tailLease({ events: 2, connections: 2, mutant: mutant as TailMutant })).fault?.what).to.match(
        words,
      );
    }).timeout(60_000);
  }
});
