/** Requests that nobody would send on purpose: what a fuzz test throws at a node, by fast-check's arbitraries. */
import fc from 'fast-check';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Whether it is sent with the id of a session that lives. */
  readonly session: 'live' | 'made-up' | 'none';
}

/** Whatever HTTP lets through in a header's value. */
const headerText = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});

const METHODS = [
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'server/discover',
  'subscriptions/listen',
  'tasks/get',
  '__proto__',
  '',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/message',
];
/** Quick ones; those that wait for somebody are tested elsewhere. */
const TOOLS = ['echo', 'test_simple_text', 'test_error_handling', 'no_such_tool', 'constructor', ''];

const oddKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '_meta',
  'name',
  'uri',
  'arguments',
  'cursor',
  'x',
);
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.bigInt().map(String),
);

/** Mostly a member as it should be. */
const mostly = <T>(plain: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 5, arbitrary: plain as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: odd });

const meta = fc.record(
  {
    progressToken: mostly(fc.oneof(fc.string(), fc.integer())),
    'io.modelcontextprotocol/protocolVersion': mostly(fc.constantFrom('2026-07-28', '2025-11-25', '1')),
    'io.modelcontextprotocol/clientCapabilities': mostly(fc.constant({})),
    'io.modelcontextprotocol/clientInfo': mostly(fc.constant({ name: 'fuzz', version: '1' })),
    'io.modelcontextprotocol/related-task': odd,
    traceparent: mostly(fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')),
  },
  { requiredKeys: [] },
);

const params = mostly(
  fc.record(
    {
      name: mostly(fc.constantFrom(...TOOLS)),
      arguments: mostly(fc.oneof(fc.constant({ text: 'x' }), fc.dictionary(oddKey, odd))),
      uri: mostly(fc.constantFrom('test://static-text', 'test://template/1/data', 'test://x')),
      cursor: odd,
      level: mostly(fc.constantFrom('debug', 'error')),
      ref: mostly(fc.constant({ type: 'ref/prompt', name: 'x' })),
      argument: odd,
      requestId: odd,
      progress: odd,
      progressToken: odd,
      requestState: odd,
      inputResponses: odd,
      notifications: mostly(fc.constant({ toolsListChanged: true })),
      protocolVersion: mostly(fc.constantFrom('2025-11-25', '2025-03-26', '1999-01-01')),
      capabilities: mostly(fc.constant({})),
      clientInfo: mostly(fc.constant({ name: 'fuzz', version: '1' })),
      _meta: fc.oneof(
        { weight: 6, arbitrary: fc.record({ progressToken: fc.integer() }) as fc.Arbitrary<unknown> },
        { weight: 1, arbitrary: meta as fc.Arbitrary<unknown> },
        { weight: 1, arbitrary: odd as fc.Arbitrary<unknown> },
      ),
    },
    { requiredKeys: [] },
  ),
);

const id = fc.oneof(
  { weight: 6, arbitrary: fc.integer() },
  { weight: 3, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: odd },
);

const message = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      { jsonrpc: fc.constant('2.0'), id, method: fc.constantFrom(...METHODS), params },
      { requiredKeys: ['jsonrpc', 'id', 'method'] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      { jsonrpc: fc.constant('2.0'), method: fc.constantFrom(...METHODS), params },
      { requiredKeys: ['jsonrpc', 'method'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { jsonrpc: fc.constant('2.0'), id, result: odd, error: odd },
      { requiredKeys: ['jsonrpc', 'id'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.dictionary(fc.oneof(oddKey, fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result')), odd),
  },
  { weight: 1, arbitrary: odd },
);

const text = fc.oneof(
  { weight: 10, arbitrary: message.map((value) => JSON.stringify(value) ?? 'null') },
  { weight: 2, arbitrary: fc.array(message, { maxLength: 5 }).map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: message.chain((value) => cutOf(JSON.stringify(value) ?? '')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 2000 }).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
  },
);

/** What is left of a text when a piece is taken out somewhere. */
function cutOf(whole: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(whole.length), fc.nat(20))
    .map(([at, length]) => whole.slice(0, at) + whole.slice(at + length));
}

/** Mostly what a client sends, so that the oddity is met further in; now and then anything at all. */
const PLAIN = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Host: 'localhost' };
const oddHeaders = fc.record(
  {
    'Content-Type': headerText,
    Accept: headerText,
    'MCP-Protocol-Version': fc.oneof(fc.constantFrom('2026-07-28', '2025-03-26', '2027-01-01'), headerText),
    'Mcp-Method': fc.oneof(fc.constantFrom(...METHODS), headerText),
    'Mcp-Name': fc.oneof(fc.constantFrom(...TOOLS), headerText),
    'Last-Event-ID': headerText,
    Origin: fc.oneof(fc.constant('http://localhost'), headerText),
    Host: headerText,
    Authorization: headerText,
    traceparent: headerText,
    'X-Forwarded-For': headerText,
    'X-Request-Id': headerText,
    'Accept-Encoding': headerText,
  },
  { requiredKeys: [] },
);
const headers = fc.oneof(
  { weight: 4, arbitrary: fc.constant(PLAIN) },
  { weight: 1, arbitrary: oddHeaders.map((odd) => ({ ...PLAIN, ...odd })) },
);

const path = fc.oneof(
  { weight: 12, arbitrary: fc.constant('/mcp') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/sse',
      '/messages',
      '/health',
      '/livez',
      '/readyz',
      '/metrics',
      '/',
      '/mcp/',
      '/MCP',
      '/mcp?x=1',
      '//mcp',
      '/%',
      '/%2e%2e/mcp',
      '/.well-known/oauth-protected-resource',
      '*',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.string({ maxLength: 20 }).map((name) => `/sse?sessionId=${encodeURIComponent(name)}`),
  },
  { weight: 1, arbitrary: fc.webPath() },
);

const method = fc.oneof(
  { weight: 12, arbitrary: fc.constant('POST') },
  { weight: 1, arbitrary: fc.constantFrom('GET', 'DELETE', 'PUT', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE', 'PROPFIND') },
);

export const fuzzRequest: fc.Arbitrary<FuzzRequest> = fc
  .record({ method, path, headers, text, session: fc.constantFrom('live', 'live', 'live', 'made-up', 'none') })
  .map(({ text: body, ...rest }) => ({
    ...rest,
    body: rest.method === 'GET' || rest.method === 'HEAD' ? undefined : body,
  }));
