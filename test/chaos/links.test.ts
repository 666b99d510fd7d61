/** The proxy that the faults of the network go through: what it holds back, breaks and drops, and what it leaves alone. */
import { expect } from 'chai';
import { PublishedFilter } from '../../chaos/published-filter.js';
import { Chance } from '../streams/chance.js';

const MESSAGE = '>3\r\n$7\r\nmessage\r\n$3\r\nbus\r\n$9\r\n{"a":"1"}\r\n';
const OLD_MESSAGE = MESSAGE.replace('>', '*');
const SUBSCRIBED = '>3\r\n$9\r\nsubscribe\r\n$3\r\nbus\r\n:1\r\n';
const REPLIES = '+OK\r\n*3\r\n$4\r\nmess\r\n$1\r\na\r\n$1\r\nb\r\n:5\r\n$5\r\n*3>3x\r\n';

function through(text: string, drops: boolean, chance: Chance): string {
  const filter = new PublishedFilter(() => drops);
  const bytes = Buffer.from(text);
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const next = at + chance.between(1, 12);
    out += filter.pass(bytes.subarray(at, next)).toString();
    at = next;
  }
  return out;
}

describe('the loss of published messages', () => {
  const chance = new Chance(5);
  const text = `${SUBSCRIBED}${MESSAGE}${REPLIES}${OLD_MESSAGE}${MESSAGE}${REPLIES}`;

  it('changes not one byte where none is to be lost, however the bytes are cut into pieces', () => {
    for (let i = 0; i < 200; i += 1) expect(through(text, false, chance)).to.equal(text);
  });

  it('takes out whole messages, and nothing else', () => {
    const rest = `${SUBSCRIBED}${REPLIES}${REPLIES}`;
    for (let i = 0; i < 200; i += 1) expect(through(text, true, chance)).to.equal(rest);
  });
});
