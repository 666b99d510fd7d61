/** Keys in the envelope that are not the protocol's own: whatever they hold, they are no reason to refuse a request. */
import { expect } from 'chai';
import { textOf } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { callTool } from './modern-client.js';
import type { ModernSuite } from './modern-suite.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const traceContext: ModernSuite = (fleet) => {
  for (const [what, meta] of Object.entries({
    'a traceparent': { traceparent: TRACE },
    'traceparent, tracestate and baggage': { traceparent: TRACE, tracestate: 'a=1,b=2', baggage: 'user=7' },
    'a traceparent of nonsense': { traceparent: 'nonsense' },
    'an empty traceparent': { traceparent: '' },
    'a key of somebody else': { 'com.example/x': { deep: [1, 2, { er: null }] } },
  })) {
    it(`${what} is accepted in both eras`, async () => {
      const text = 'traced';
      expect(textOf(await callTool(fleet(), 'echo', { text }, { meta }))).to.equal(text);
      const session = await RawSession.open(fleet());
      const params = { name: 'echo', arguments: { text }, _meta: meta };
      expect(textOf(await session.request('tools/call', params))).to.equal(text);
    });
  }
};
