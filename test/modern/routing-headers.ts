/** Headers that repeat the body for whoever routes by them: they agree with it, or nothing is done. */
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { textOf } from '../support/json-rpc.js';
import { ACCEPT_BOTH, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { flush, listen, toldOn } from './listening.js';
import { ask, body, callTool, MODERN, modernHeaders } from './modern-client.js';
import type { ModernSuite } from './modern-suite.js';

const encoded = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;
const named = (value: string | undefined) => ({ 'Mcp-Name': value });
const region = (value: string | undefined) => ({ 'Mcp-Param-Region': value });
const echo = { name: 'echo', arguments: { text: 'hi' } };
const read = { uri: 'test://static-text' };

const DISAGREEING = [
  ['no Mcp-Method', 'tools/list', {}, { 'Mcp-Method': undefined }],
  ['the method of another list', 'tools/list', {}, { 'Mcp-Method': 'prompts/list' }],
  ['a method in other case', 'tools/list', {}, { 'Mcp-Method': 'TOOLS/LIST' }],
  ['a tool without Mcp-Name', 'tools/call', echo, named(undefined)],
  ['the name of another tool', 'tools/call', echo, named('whereami')],
  ['a tool in other case', 'tools/call', echo, named('Echo')],
  ['a prompt without Mcp-Name', 'prompts/get', { name: 'test_simple_prompt' }, named(undefined)],
  ['the name of another prompt', 'prompts/get', { name: 'test_simple_prompt' }, named('another')],
  ['a resource without Mcp-Name', 'resources/read', read, named(undefined)],
  ['the URI of another resource', 'resources/read', read, named('test://static-binary')],
  ['a name whose encoding is broken', 'tools/call', echo, named('=?base64?ZWNobw=?=')],
] as const;

const AGREEING = [
  ['a name between blanks', 'tools/call', echo, named('  echo  ')],
  ['a name in the encoding', 'tools/call', echo, named(encoded('echo'))],
  ['a URI in the encoding', 'resources/read', read, named(encoded(read.uri))],
] as const;

/** Argument, header, and whether they agree: 400 and -32020 where they do not. */
const REGIONS: readonly (readonly [
  what: string,
  value: string | null | undefined,
  header: string | undefined,
  ok: boolean,
])[] = [
  ['the same', 'eu-west', 'eu-west', true],
  ['none of both', undefined, undefined, true],
  ['null and no header', null, undefined, true],
  ['a value and no header', 'eu-west', undefined, false],
  ['another value', 'eu-west', 'us-east', false],
  ['another case', 'eu-west', 'EU-WEST', false],
  ['the encoding of it', 'Hello', '=?base64?SGVsbG8=?=', true],
  ['the encoding of another', 'Hello', encoded('Hullo'), false],
  ['an encoding without its padding', 'Hello', '=?base64?SGVsbG8?=', false],
  ['an encoding of another alphabet', 'Hello', '=?base64?SGVs!!!bG8=?=', false],
  ['no marks around it, so that it is literal', 'SGVsbG8=', 'SGVsbG8=', true],
  ['no end mark, so that it is literal', '=?base64?SGVsbG8=', '=?base64?SGVsbG8=', true],
  ['marks in other case, so that it is literal', '=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?=', true],
  ['marks in other case are no encoding', 'Hello', '=?BASE64?SGVsbG8=?=', false],
  ['what no header can hold, in the encoding', '日本語', encoded('日本語'), true],
  ['blanks, in the encoding', ' padded ', encoded(' padded '), true],
  ['marks, in the encoding', '=?base64?x?=', encoded('=?base64?x?='), true],
];

export const routingHeaders: ModernSuite = (fleet) => {
  for (const [what, method, params, headers] of DISAGREEING) {
    it(`${what}: 400 and -32020`, async () => {
      await expectRpcError(await ask(fleet(), method, params, { id: 'h', headers }), 400, -32020, 'h');
    });
  }

  for (const [what, method, params, headers] of AGREEING) {
    it(`${what} is taken`, async () => {
      const response = await ask(fleet(), method, params, { headers });
      expect([response.status, (await response.json()).result?.resultType]).to.deep.equal([200, 'complete']);
    });
  }

  it('names of headers are taken in any case', async () => {
    const headers = { 'MCP-PROTOCOL-VERSION': MODERN, 'mcp-method': 'tools/call', 'MCP-NAME': 'echo' };
    const response = await send(`${fleet().url}/mcp`, {
      method: 'POST',
      headers: { ...headers, 'CONTENT-TYPE': 'application/json', ACCEPT: ACCEPT_BOTH },
      body: JSON.stringify(body('tools/call', echo)),
    });
    expect(textOf(await response.json())).to.equal('hi');
  });

  for (const [what, value, header, agrees] of REGIONS) {
    it(`an argument that a header repeats, ${what}: ${agrees ? 'taken' : 'refused'}`, async () => {
      const params = { name: 'test_x_mcp_header', arguments: value === undefined ? {} : { region: value } };
      const response = await ask(fleet(), 'tools/call', params, { id: 'r', headers: region(header) });
      if (!agrees) await expectRpcError(response, 400, -32020, 'r');
      else if (value === null) expect(response.status).to.equal(200);
      else expect(textOf(await response.json())).to.equal(`region: ${value ?? 'none'}, level: 0`);
    });
  }

  it('an argument that two headers repeat, or one with bytes beyond ASCII, is refused', async () => {
    const headersOf = (...values: string[]): string[] => [
      ...Object.entries(modernHeaders('tools/call', { name: 'test_x_mcp_header' })).flat(),
      ...['Content-Type', 'application/json', 'Accept', ACCEPT_BOTH],
      ...values.flatMap((value) => ['Mcp-Param-Region', value]),
    ];
    for (const [value, headers] of [
      ['eu', headersOf('eu', 'eu')],
      ['caf\u00e9', headersOf('caf\u00e9')],
    ] as const) {
      const params = { name: 'test_x_mcp_header', arguments: { region: value } };
      const sent = { method: 'POST', headers, body: JSON.stringify(body('tools/call', params)) };
      await expectRpcError(await send(`${fleet().url}/mcp`, sent), 400, -32020);
    }
  });

  it('what is refused is not done', async () => {
    const uri = 'test://touched';
    const stream = await listen(fleet(), { resourceSubscriptions: [uri] });
    const params = { name: 'touch', arguments: { uri } };
    await expectRpcError(await ask(fleet(), 'tools/call', params, { headers: named('echo') }), 400, -32020);
    await flush(fleet(), stream);
    expect(toldOn(stream)).to.deep.equal([]);
    stream.close();
  });

  it('a legacy request needs none of them', async () => {
    const session = await RawSession.open(fleet());
    expect(textOf(await session.callTool('test_x_mcp_header', { region: 'eu' }))).to.equal('region: eu, level: 0');
    const modern = await callTool(fleet(), 'test_x_mcp_header', { region: 'eu' }, { headers: region('eu') });
    expect(textOf(modern)).to.equal('region: eu, level: 0');
  });
};
