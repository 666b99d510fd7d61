/**
 * A server factory and a real client, in one process: the official clients of both SDK lines over linked transports, the
 * modern one over the SDK's own handler. What a node adds (streams, replicas, stored state) is deliberately absent.
 */
import { randomBytes } from 'node:crypto';
import {
  StreamableHTTPClientTransport,
  Client as V2Client,
  InMemoryTransport as V2InMemoryTransport,
} from '@modelcontextprotocol/client';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport as V1InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, createRequestStateCodec, type McpServer } from '@modelcontextprotocol/server';
import type { AuthInfo, McpServerLike, RequestState, ServerContext, SessionState } from '../../src/index.js';

export const MODERN = '2026-07-28';
const INFO = { name: 'server-test', version: '1.0.0' };

/** What a node would give; every announcement is written down as `name` or `name uri`. */
export interface FakeNode {
  readonly context: ServerContext;
  readonly announced: string[];
  readonly state: Map<string, unknown>;
}

export function fakeNode(era: ServerContext['era'], authInfo?: AuthInfo): FakeNode {
  const announced: string[] = [];
  const state = new Map<string, unknown>();
  const announce = (what: string) => async () => {
    announced.push(what);
  };
  const context: ServerContext = {
    era,
    nodeId: 'node-7',
    ...(era === 'legacy' && { sessionId: '5f0c54a5-0a3f-4ec5-a1f7-3a2e61b3f9d1', session: mapBacked(state) }),
    ...(authInfo && { authInfo }),
    requestState: requestState(),
    notify: {
      toolsChanged: announce('tools'),
      promptsChanged: announce('prompts'),
      resourcesChanged: announce('resources'),
      resourceUpdated: (uri) => announce(`updated ${uri}`)(),
    },
  };
  return { context, announced, state };
}

/** What a node gives, with a key of its own; its binding to principal and call is proved where the node is. */
const codec = createRequestStateCodec({ key: randomBytes(32) });

function requestState(): RequestState {
  const noContext = {} as Parameters<typeof codec.verify>[1];
  return { mint: (value) => codec.mint(value), verify: (state) => codec.verify(state, noContext) };
}

function mapBacked(state: Map<string, unknown>): SessionState {
  return {
    get: async <T>(key: string) => state.get(key) as T | undefined,
    set: async (key, value) => void state.set(key, value),
    delete: async (key) => state.delete(key),
    increment: async (key, by = 1) => {
      const before = state.get(key) ?? 0;
      if (typeof before !== 'number') throw new TypeError(`${key} is not a number`);
      state.set(key, before + by);
      return before + by;
    },
  };
}

/** What the user, the model and the workspace answer; a client declares what it has an answer for. */
export interface Answers {
  elicit?: (params: Record<string, unknown>) => { action: 'accept' | 'decline' | 'cancel'; content?: FormContent };
  sample?: string;
  roots?: { uri: string; name?: string }[];
}
type FormContent = Record<string, string | number | boolean | string[]>;

export interface LegacyClient {
  readonly client: V1Client;
  /** Parameters of every elicitation and sampling request, in order. */
  readonly asked: Record<string, unknown>[];
  /** Data of every log line, in order. */
  readonly logged: unknown[];
}

/** The 1.x client, which is what most people run. */
export async function connectLegacy(server: McpServerLike, answers: Answers = {}): Promise<LegacyClient> {
  const { elicit, sample, roots } = answers;
  const client = new V1Client(INFO, {
    capabilities: {
      ...(elicit && { elicitation: { form: {}, url: {} } }),
      ...(sample !== undefined && { sampling: {} }),
      ...(roots && { roots: {} }),
    },
  });
  const asked: Record<string, unknown>[] = [];
  const logged: unknown[] = [];
  if (elicit) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params);
      return elicit(params);
    });
  }
  if (sample !== undefined) {
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
      asked.push(params);
      return { role: 'assistant', model: 'test-model', content: { type: 'text', text: sample } };
    });
  }
  if (roots) client.setRequestHandler(ListRootsRequestSchema, () => ({ roots }));
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logged.push(params.data));

  const [near, far] = V1InMemoryTransport.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  return { client, asked, logged };
}

/** The 2.x client in the legacy era, over its own linked transports. */
export async function connectV2Legacy(server: McpServerLike): Promise<V2Client> {
  const client = new V2Client(INFO);
  const [near, far] = V2InMemoryTransport.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  return client;
}

type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** Serves a factory as 2026-07-28 does, one fresh server per request. */
export function serveModern(build: () => McpServer): Fetch {
  const handler = createMcpHandler(build, { legacy: 'reject' });
  return (input, init) => handler.fetch(new Request(input, init));
}

const URL_OF_NOTHING = new URL('http://localhost/mcp');

/** The 2.x client in the modern era; it answers questions by itself and calls again. */
export async function connectModern(fetch: Fetch, { elicit, sample, roots }: Answers = {}): Promise<V2Client> {
  const client = new V2Client(INFO, {
    versionNegotiation: { mode: { pin: MODERN } },
    capabilities: {
      ...(elicit && { elicitation: { form: {}, url: {} } }),
      ...(sample !== undefined && { sampling: {} }),
      ...(roots && { roots: {} }),
    },
  });
  if (elicit) client.setRequestHandler('elicitation/create', ({ params }) => elicit(params));
  if (sample !== undefined) {
    client.setRequestHandler('sampling/createMessage', () => ({
      role: 'assistant',
      model: 'test-model',
      content: { type: 'text', text: sample },
    }));
  }
  if (roots) client.setRequestHandler('roots/list', () => ({ roots }));
  await client.connect(new StreamableHTTPClientTransport(URL_OF_NOTHING, { fetch }));
  return client;
}

/** One JSON-RPC answer as it is on the wire. */
export interface RawAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the result it waits for.
  result?: any;
  error?: { code: number; message: string; data?: Record<string, unknown> };
  /** Methods of the notifications that came before, on a stream. */
  notifications: string[];
}

export const ALL_CAPABILITIES = { sampling: {}, elicitation: {}, roots: { listChanged: true } };

/** One modern request with everything it has to carry; for what a client would hide. */
export async function callRaw(
  fetch: Fetch,
  method: string,
  params: Record<string, unknown>,
  capabilities: Record<string, unknown> = ALL_CAPABILITIES,
): Promise<RawAnswer> {
  const name = params.name ?? params.uri;
  const response = await fetch(URL_OF_NOTHING, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          ...(params._meta as object | undefined),
          'io.modelcontextprotocol/protocolVersion': MODERN,
          'io.modelcontextprotocol/clientInfo': INFO,
          'io.modelcontextprotocol/clientCapabilities': capabilities,
        },
      },
    }),
  });
  const messages = messagesOf(await response.text(), response.headers.get('content-type') ?? '');
  const { result, error } = messages.find((message) => message.id === 1) ?? {};
  const notifications = messages.flatMap((message) => (typeof message.method === 'string' ? [message.method] : []));
  return { status: response.status, result, notifications, ...(error && { error }) };
}

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON of the server under test.
function messagesOf(body: string, contentType: string): any[] {
  if (!contentType.startsWith('text/event-stream')) return [JSON.parse(body)];
  return body
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)));
}

/** The text of a result that is one line of text; any other shape fails the comparison it is used in. */
export function lineOf(result: object): string | undefined {
  const { content } = result as { content?: { type: string; text?: string }[] };
  return content?.length === 1 && content[0]?.type === 'text' ? content[0].text : undefined;
}
