/** What makes a scenario fail here although the suite lets it pass, and what a page that has changed looks like. */
import { expect } from 'chai';
import { differences } from './compare.js';
import type { KnownException } from './known-exceptions.js';
import { type Check, judge } from './verdict.js';

const check = (status: Check['status'], id = 'tools-list'): Check => ({ id, status, errorMessage: `about ${id}` });

const exception = (shortfall: KnownException['shortfall']): KnownException => ({
  leg: 'stable',
  scenario: 'ping',
  shortfall,
  reason: 'the suite is wrong',
});

describe('a conformance verdict', () => {
  it('passes where every check has, and counts no record of events', () => {
    const verdict = judge('ping', [check('SUCCESS'), check('INFO'), check('SKIPPED')]);
    expect(verdict).to.include({ result: 'pass', passed: 1, skipped: 1 });
  });

  it('fails on a failed check', () => {
    const verdict = judge('ping', [check('SUCCESS'), check('FAILURE', 'answer')]);
    expect(verdict).to.deep.include({ result: 'fail', reasons: ['FAILURE answer: about answer'] });
  });

  it('fails on a warning', () => {
    expect(judge('ping', [check('SUCCESS'), check('WARNING')]).result).to.equal('fail');
  });

  it('fails where nothing of the scenario was checked', () => {
    expect(judge('ping', []).result).to.equal('fail');
    expect(judge('ping', [check('SKIPPED'), check('SUCCESS', 'wire-schema-valid')]).result).to.equal('fail');
  });

  it('excepts what is known, and nothing else', () => {
    const warned = [check('SUCCESS'), check('WARNING')];
    expect(judge('ping', warned, exception('warning')).result).to.equal('excepted');
    expect(judge('ping', warned, exception('nothing checked')).result).to.equal('fail');
    expect(judge('ping', [...warned, check('FAILURE')], exception('warning')).result).to.equal('fail');
  });

  it('fails on an exception that is not needed any more', () => {
    expect(judge('ping', [check('SUCCESS')], exception('warning')).result).to.equal('fail');
  });
});

describe('two conformance pages', () => {
  it('differ by the lines that only one of them has', () => {
    expect(differences('a\nb\n', 'a\nb\n')).to.deep.equal([]);
    expect(differences('a\nb\n', 'a\nc\n')).to.deep.equal(['- b', '+ c']);
  });

  it('differ by their order', () => {
    expect(differences('a\nb\n', 'b\na\n')).to.have.length(1);
  });
});
