/** What a JSON text is made of, found without parsing it, against what the parser finds. */
import { expect } from 'chai';
import fc from 'fast-check';
import { hasTwice, scanJson, shapeFaultOf } from '../../src/http/json-shape.js';

const WIDE = { maxDepth: 1000, maxElements: 1_000_000 };

/** Depth as the parser's value has it. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Strings full of what a careless reader would take for structure. */
const tricky = fc.oneof(
  fc.string(),
  fc.constantFrom('"', '\\', '\\"', '\\\\"', '[', ']{', '":', ',', '\u2028', '\ud83d\ude00', '__proto__'),
);
const json = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' });
const message = fc.dictionary(tricky, fc.oneof(json, tricky), { maxKeys: 8 });
const spaces = fc.constantFrom(undefined, 1, '\t', ' \n');

describe('the shape of a JSON text', () => {
  it('has the depth that the parser finds, whatever its strings hold', () => {
    fc.assert(
      fc.property(fc.oneof(json, message, tricky), spaces, (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const depth = depthOf(JSON.parse(text));
        expect(scanJson(text, { ...WIDE, maxDepth: Math.max(depth, 1) }).fault).to.equal(undefined);
        if (depth > 1) expect(scanJson(text, { ...WIDE, maxDepth: depth - 1 }).fault).to.equal('too-deep');
        expect(shapeFaultOf(value, { ...WIDE, maxDepth: depth })).to.equal(undefined);
        if (depth > 0) expect(shapeFaultOf(value, { ...WIDE, maxDepth: depth - 1 })).to.equal('too-deep');
      }),
    );
  });

  it('has the members of its message or messages, none of them twice', () => {
    fc.assert(
      fc.property(fc.oneof(message, fc.array(message), json), spaces, (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(hasTwice(JSON.parse(text), scanJson(text, WIDE).members), text).to.equal(false);
      }),
    );
  });

  it('shows a member that is given twice, however it is spelt and wherever it stands', () => {
    const texts = [
      '{"method":"ping","method":"tools/call"}',
      '{"method":"ping","params":{"a":1},"\\u006dethod":"tools/call"}',
      ' { "id" : 1 , "id" : 1 } ',
      '[{"id":1},{"id":2,"id":3}]',
      '{"a":"\\\\","a":"\\""}',
      '{"__proto__":1,"__proto__":2}',
    ];
    for (const text of texts) expect(hasTwice(JSON.parse(text), scanJson(text, WIDE).members), text).to.equal(true);
    // Below the message it is the business of whoever reads the parameters.
    for (const text of ['{"params":{"a":1,"a":2}}', '[[{"a":1,"a":2}]]', '"a:b"', '[1,2]', '[]', '{}']) {
      expect(hasTwice(JSON.parse(text), scanJson(text, WIDE).members), text).to.equal(false);
    }
  });

  it('has as many elements as items and members, at all depths', () => {
    const list = (items: number) => JSON.stringify(Array.from({ length: items }, (_, i) => i));
    for (const text of [list(100), `{"a":${list(40)},"b":${list(57)}}`, `[${'[],'.repeat(49)}[]]`]) {
      expect(scanJson(text, { ...WIDE, maxElements: 101 }).fault, text).to.equal(undefined);
      expect(scanJson(text, { ...WIDE, maxElements: 90 }).fault, text).to.equal('too-many');
    }
    expect(shapeFaultOf(JSON.parse(list(100)), { ...WIDE, maxElements: 100 })).to.equal(undefined);
    expect(shapeFaultOf(JSON.parse(list(101)), { ...WIDE, maxElements: 100 })).to.equal('too-many');
  });

  it('is looked at without a stack that could overflow, and texts that are no JSON do not confuse it for long', () => {
    expect(scanJson('['.repeat(3_000_000), WIDE).fault).to.equal('too-deep');
    for (const text of ['"', '{"a', '"\\', ']]]]', '{"a":"\\"', '', '\\"']) {
      expect(scanJson(text, WIDE).fault, text).to.equal(undefined);
    }
    // Many backslashes before many quotes: each is looked at a bounded number of times.
    const text = JSON.stringify('\\'.repeat(2_000_000));
    expect(scanJson(text, WIDE).fault).to.equal(undefined);
  });
});
