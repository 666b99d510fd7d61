/** What was noted a short while ago: remembered for who comes again soon, in bounded room. */
import { expect } from 'chai';
import { Recent } from '../../src/core/limits/recent.js';

describe('names noted a short while ago', () => {
  it('are known, and others are not', () => {
    const recent = new Recent();
    recent.note('pool');
    expect([recent.has('pool'), recent.has('other')]).to.deep.equal([true, false]);
  });

  it('give way to newer ones where there are too many, but for those that are noted again', () => {
    const recent = new Recent();
    recent.note('first');
    recent.note('again');
    for (let i = 0; i < 999; i += 1) {
      recent.note(`pool ${i}`);
      recent.note('again');
    }
    expect([recent.has('first'), recent.has('again'), recent.has('pool 998')]).to.deep.equal([false, true, true]);
  });
});
