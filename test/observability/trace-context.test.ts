/** The forms of trace contexts: what is read, what is ignored, and what comes out again. */
import { expect } from 'chai';
import {
  carrierOf,
  contextOfMessage,
  packTraceContext,
  parseTraceContext,
  type TraceContext,
  unpackTraceContext,
} from '../../src/core/trace-context.js';
import { formatWireId, parseWireId } from '../../src/core/wire-id.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = `00-${TRACE}-${SPAN}-01`;
const CONTEXT: TraceContext = { traceId: TRACE, spanId: SPAN, flags: 1 };

describe('a trace context', () => {
  it('is read and written in the form of the W3C', () => {
    const all = { traceparent: PARENT, tracestate: 'a=1,b=2', baggage: 'user=7;meta' };
    expect(parseTraceContext(all)).to.deep.equal({ ...CONTEXT, state: 'a=1,b=2', baggage: 'user=7;meta' });
    expect(carrierOf(parseTraceContext(all) as TraceContext)).to.deep.equal(all);
    expect(carrierOf({ ...CONTEXT, flags: 0 })).to.deep.equal({ traceparent: `00-${TRACE}-${SPAN}-00` });
    // A version to come may have more behind the flags.
    expect(parseTraceContext({ traceparent: `01-${TRACE}-${SPAN}-01-more` })).to.deep.equal(CONTEXT);
  });

  for (const [what, traceparent] of Object.entries({
    nothing: undefined,
    'a number': 7,
    'an object': { traceId: TRACE },
    'an empty text': '',
    'other words': 'nonsense',
    'upper case': PARENT.toUpperCase(),
    'a trace id of zeroes': `00-${'0'.repeat(32)}-${SPAN}-01`,
    'a span id of zeroes': `00-${TRACE}-${'0'.repeat(16)}-01`,
    'a short id': `00-${TRACE.slice(1)}-${SPAN}-01`,
    'version 00 with more behind it': `${PARENT}-more`,
    'the version that must not be': `ff-${TRACE}-${SPAN}-01`,
    'a megabyte': `01-${TRACE}-${SPAN}-01-${'x'.repeat(1_000_000)}`,
  })) {
    it(`is not made of ${what}`, () => {
      expect(parseTraceContext({ traceparent, tracestate: 'a=1' })).to.equal(undefined);
    });
  }

  it('is read without a state or baggage that cannot go on', () => {
    for (const odd of [7, '', 'a\nb', 'ü', 'x'.repeat(10_000), { a: 1 }]) {
      expect(parseTraceContext({ traceparent: PARENT, tracestate: odd, baggage: odd })).to.deep.equal(CONTEXT);
    }
  });

  it('is found in the params of a message and in the result of an answer', () => {
    const _meta = { traceparent: PARENT };
    expect(contextOfMessage({ method: 'ping', params: { _meta } })).to.deep.equal(CONTEXT);
    expect(contextOfMessage({ result: { _meta } })).to.deep.equal(CONTEXT);
    for (const odd of [
      {},
      { params: [] },
      { params: { _meta: [] } },
      { params: null, result: 7 },
      { error: { _meta } },
    ]) {
      expect(contextOfMessage(odd)).to.equal(undefined);
    }
  });

  it('goes through the id of a question, and one without it stays as short as it was', () => {
    expect(unpackTraceContext(packTraceContext(CONTEXT))).to.deep.equal(CONTEXT);
    const plain = { nodeToken: 'a'.repeat(12), exchangeId: 'b'.repeat(16), number: 40 };
    expect(formatWireId(plain)).to.equal(`${plain.nodeToken}.${plain.exchangeId}.14`);
    expect(parseWireId(formatWireId(plain))).to.deep.equal(plain);
    expect(parseWireId(formatWireId({ ...plain, trace: CONTEXT }))).to.deep.equal({ ...plain, trace: CONTEXT });
    // What a client makes of it leads to the same call, in no trace.
    const spoilt = `${formatWireId(plain)}.${'A'.repeat(34)}`;
    expect(parseWireId(spoilt)).to.deep.equal({ ...plain, trace: undefined });
    expect(parseWireId(`${formatWireId(plain)}.short`)).to.equal(undefined);
  });
});
