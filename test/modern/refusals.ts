/**
 * Requests of the modern era that are refused before any handler sees them: what is wrong, and the one code for it.
 *
 * Each has one fault only; which of several is told is nobody's promise.
 */
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { initialize, notification, type RpcError, type RpcMessage, request } from '../support/json-rpc.js';
import type { Target } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';
import { ask, body, CAPABILITIES, CLAIM, MODERN, type ModernOptions, modernHeaders, post } from './modern-client.js';
import { type ModernSuite, nodesOf } from './modern-suite.js';

const ID = 'refused';
const FROM_ANOTHER_TIME = '1900-01-01';
/** A client that sees any other code in a 400 takes the whole origin for a server of the legacy era. */
const KNOWN_CODES = [-32020, -32021, -32022, -32602, -32600, -32700];

interface Refusal {
  readonly what: string;
  readonly code: number;
  /** What the answer carries; null where the id cannot be known. */
  readonly id: string | null;
  send(target: Target, node: number): Promise<RawResponse>;
}

const spoilt = (what: string, code: number, options: ModernOptions): Refusal => ({
  what,
  code,
  id: ID,
  send: (target, node) => ask(target, 'tools/list', {}, { id: ID, node, ...options }),
});
const MODERN_HEADERS = modernHeaders('tools/list', {});
const LEGACY_HEADERS = { 'MCP-Protocol-Version': '2025-11-25' };

const posted = (
  what: string,
  code: number,
  message: unknown,
  { id = null, headers = MODERN_HEADERS }: { id?: string | null; headers?: Record<string, string> } = {},
): Refusal => ({ what, code, id, send: (target, node) => post(target, message, { node, headers }) });
const versions = (header: string | undefined, claim: string): ModernOptions => ({
  headers: { 'MCP-Protocol-Version': header },
  meta: { [CLAIM]: claim },
});

export const REFUSALS: readonly Refusal[] = [
  posted('a request without envelope under the header', -32602, request(ID, 'tools/list'), { id: ID }),
  ...[null, [], 'none'].map((_meta) =>
    posted(`an envelope that is ${JSON.stringify(_meta)}`, -32602, request(ID, 'tools/list', { _meta }), { id: ID }),
  ),
  spoilt('a progress token that is a fraction', -32602, { meta: { progressToken: 1.5 } }),
  spoilt('a progress token that is null', -32602, { meta: { progressToken: null } }),
  posted('a handshake under the header', -32020, initialize('2025-11-25', {}, ID), { id: ID }),
  spoilt('an envelope without capabilities', -32602, { meta: { [CAPABILITIES]: undefined } }),
  spoilt('an envelope without a version', -32602, { meta: { [CLAIM]: undefined } }),
  spoilt('capabilities that are null', -32602, { capabilities: null }),
  spoilt('capabilities that are a list', -32602, { capabilities: [] }),
  spoilt('capabilities that are a text', -32602, { capabilities: 'all' }),
  spoilt('a version that is a number', -32602, { meta: { [CLAIM]: 20260728 } }),
  spoilt('a log level that does not exist', -32602, { meta: { 'io.modelcontextprotocol/logLevel': 'loud' } }),
  spoilt('a claim without the header', -32020, versions(undefined, MODERN)),
  spoilt('a claim under the header of a legacy revision', -32020, versions('2025-11-25', MODERN)),
  spoilt('a claim of a legacy revision under the modern header', -32020, versions(MODERN, '2025-11-25')),
  spoilt('a version that is not served', -32022, versions(FROM_ANOTHER_TIME, FROM_ANOTHER_TIME)),
  spoilt('a legacy revision in header and envelope', -32022, versions('2025-11-25', '2025-11-25')),
  posted('a batch with a claim in it, without the header', -32600, [request(1, 'ping'), body('tools/list')], {
    headers: {},
  }),
  posted('a batch with a claim in it, under a legacy header', -32600, [body('tools/list')], {
    headers: LEGACY_HEADERS,
  }),
  posted('a batch under the header', -32600, [request(1, 'ping')]),
  posted('a batch of notifications under the header', -32600, [notification('notifications/initialized')]),
  posted('no JSON-RPC at all', -32600, { hello: 'world' }),
];

/** The only refusal whose words hold something to go on with. */
const isUnserved = ({ code }: Refusal): boolean => code === -32022;

export const refusals: ModernSuite = (fleet) => {
  for (const refusal of REFUSALS) {
    it(`${refusal.what}: 400 and ${refusal.code}, on every node`, async () => {
      for (const node of nodesOf(fleet())) {
        const response = await refusal.send(fleet(), node);
        const { error } = await expectRpcError(response, 400, refusal.code, refusal.id);
        expect(response.headers).to.not.have.property('mcp-session-id');
        expect(error?.code).to.be.oneOf(KNOWN_CODES);
        if (!isUnserved(refusal)) continue;
        const { supported, requested } = (error as RpcError).data as { supported: string[]; requested: string };
        expect(requested).to.be.oneOf([FROM_ANOTHER_TIME, '2025-11-25']);
        const { result } = await (await ask(fleet(), 'server/discover')).json();
        expect(supported).to.include(MODERN);
        expect(result.supportedVersions).to.include.members(supported);
      }
    });
  }

  it('a body that is no JSON: 400 and -32700', async () => {
    const url = `${fleet().url}/mcp`;
    const headers = { 'Content-Type': 'application/json', ...modernHeaders('tools/list', {}) };
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, Accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":',
    });
    const { error } = (await response.json()) as RpcMessage;
    expect([response.status, error?.code]).to.deep.equal([400, -32700]);
  });

  it('a batch whose claim is in a notification is refused like any other with a claim', async () => {
    const batch = [notification('notifications/cancelled', { requestId: 1, _meta: { [CLAIM]: MODERN } })];
    await expectRpcError(await post(fleet(), batch), 400, -32600);
  });
};
