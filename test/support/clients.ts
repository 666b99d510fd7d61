/**
 * The clients people really use, behind one small face, so that one scenario runs over all of them:
 * SDK 1.x over Streamable HTTP and over HTTP+SSE, SDK 2.x in the legacy and in the modern era.
 *
 * Not here: anything a scenario should decide. What the client is asked goes to the handlers given; nothing is retried.
 */
import * as v2 from '@modelcontextprotocol/client';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ErrorCode,
  ListRootsRequestSchema,
  type LoggingLevel,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';

export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
}

export interface Notice {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the notice it waits for.
  readonly params?: any;
}

/** What the client answers; a thrown {@link Refusal} becomes a JSON-RPC error. */
export interface Handlers {
  elicit?(message: string): Promise<{ action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> }>;
  sample?(prompt: string): Promise<string>;
  roots?(): Promise<string[]>;
}

export class Refusal extends Error {}

export interface AnyClient {
  readonly sessionId: string | undefined;
  /** Everything the server said without being asked, progress excepted. */
  readonly notices: Notice[];
  readonly errors: Error[];
  callTool(
    name: string,
    args?: Record<string, unknown>,
    options?: { onProgress?: (progress: number) => void; signal?: AbortSignal },
  ): Promise<ToolAnswer>;
  listTools(): Promise<string[]>;
  setLevel(level: LoggingLevel): Promise<void>;
  subscribe(uri: string): Promise<void>;
  /** Ends the session on the server, where there is one. */
  terminate(): Promise<void>;
  close(): Promise<void>;
}

export interface ClientKind {
  readonly label: string;
  readonly era: 'legacy' | 'modern';
  /** Whether its transport can end a session (HTTP+SSE has no DELETE, the modern era no session). */
  readonly terminates: boolean;
  /** `wire`: another `fetch` than the machine's own, for who wants to see or to change what is sent. */
  connect(baseUrl: string, handlers?: Handlers, wire?: WireOptions): Promise<AnyClient>;
}

export interface WireOptions {
  readonly fetch?: typeof fetch;
}

const INFO = { name: 'fleet-test', version: '1.0.0' };
const TIMEOUT_MS = 25_000;

function capabilitiesOf(
  handlers: Handlers,
): Partial<Record<'elicitation' | 'sampling' | 'roots', Record<string, never>>> {
  return {
    ...(handlers.elicit && { elicitation: {} }),
    ...(handlers.sample && { sampling: {} }),
    ...(handlers.roots && { roots: {} }),
  };
}

/** Of a `tools/call` result, whichever SDK typed it. */
function answerOf(result: object): ToolAnswer {
  const { content, isError } = result as { content?: { type: string; text?: string }[]; isError?: boolean };
  return { text: content?.find(({ type }) => type === 'text')?.text ?? '', isError: isError === true };
}

const sampleAnswer = (text: string) => ({
  model: 'none',
  role: 'assistant' as const,
  content: { type: 'text' as const, text },
});
const firstText = (messages: readonly { content: unknown }[]): string =>
  (messages[0]?.content as { text?: string } | undefined)?.text ?? '';

async function connectV1(
  transport: StreamableHTTPClientTransport | SSEClientTransport,
  handlers: Handlers,
): Promise<AnyClient> {
  const client = new V1Client(INFO, { capabilities: capabilitiesOf(handlers) });
  const notices: Notice[] = [];
  const errors: Error[] = [];
  const answering = async <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: Error) => {
      throw error instanceof Refusal ? new McpError(ErrorCode.InvalidRequest, error.message) : error;
    });
  const { elicit, sample, roots } = handlers;
  if (elicit) client.setRequestHandler(ElicitRequestSchema, ({ params }) => answering(elicit(params.message)));
  if (sample) {
    client.setRequestHandler(CreateMessageRequestSchema, async ({ params }) =>
      sampleAnswer(await answering(sample(firstText(params.messages)))),
    );
  }
  if (roots) {
    client.setRequestHandler(ListRootsRequestSchema, async () => ({
      roots: (await answering(roots())).map((uri) => ({ uri })),
    }));
  }
  client.fallbackNotificationHandler = async ({ method, params }) => void notices.push({ method, params });
  client.onerror = (error) => errors.push(error);
  // The SDK's own transports are not assignable to its Transport under exactOptionalPropertyTypes.
  await client.connect(transport as Transport);
  return {
    get sessionId() {
      return (transport as Transport).sessionId;
    },
    notices,
    errors,
    callTool: async (name, args = {}, { onProgress, signal } = {}) =>
      answerOf(
        await client.callTool({ name, arguments: args }, undefined, {
          timeout: TIMEOUT_MS,
          ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
          ...(signal && { signal }),
        }),
      ),
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    setLevel: async (level) => void (await client.setLoggingLevel(level)),
    subscribe: async (uri) => void (await client.subscribeResource({ uri })),
    async terminate() {
      if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession();
    },
    close: () => client.close(),
  };
}

async function connectV2(
  baseUrl: string,
  mode: 'legacy' | 'auto',
  handlers: Handlers,
  wire: WireOptions,
): Promise<AnyClient> {
  const transport = new v2.StreamableHTTPClientTransport(new URL('/mcp', baseUrl), wire);
  const client = new v2.Client(INFO, { capabilities: capabilitiesOf(handlers), versionNegotiation: { mode } });
  const notices: Notice[] = [];
  const errors: Error[] = [];
  const answering = async <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: Error) => {
      throw error instanceof Refusal ? new v2.ProtocolError(v2.ProtocolErrorCode.InvalidRequest, error.message) : error;
    });
  const { elicit, sample, roots } = handlers;
  if (elicit) client.setRequestHandler('elicitation/create', ({ params }) => answering(elicit(params.message)));
  if (sample) {
    client.setRequestHandler('sampling/createMessage', async ({ params }) =>
      sampleAnswer(await answering(sample(firstText(params.messages)))),
    );
  }
  if (roots) {
    client.setRequestHandler('roots/list', async () => ({
      roots: (await answering(roots())).map((uri) => ({ uri })),
    }));
  }
  client.fallbackNotificationHandler = async ({ method, params }) => void notices.push({ method, params });
  client.onerror = (error) => errors.push(error);
  await client.connect(transport as v2.Transport);
  return {
    get sessionId() {
      return transport.sessionId;
    },
    notices,
    errors,
    callTool: async (name, args = {}, { onProgress, signal } = {}) =>
      answerOf(
        await client.callTool(
          { name, arguments: args },
          {
            timeout: TIMEOUT_MS,
            ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
            ...(signal && { signal }),
          },
        ),
      ),
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    setLevel: async (level) => void (await client.setLoggingLevel(level)),
    async subscribe(uri) {
      if (mode === 'legacy') await client.subscribeResource({ uri });
      else await client.listen({ resourceSubscriptions: [uri] });
    },
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

const v1Streamable: ClientKind = {
  label: 'SDK 1.x client over Streamable HTTP',
  era: 'legacy',
  terminates: true,
  connect: (baseUrl, handlers = {}, wire = {}) =>
    connectV1(new StreamableHTTPClientTransport(new URL('/mcp', baseUrl), wire), handlers),
};
const v1Sse: ClientKind = {
  label: 'SDK 1.x client over HTTP+SSE',
  era: 'legacy',
  terminates: false,
  connect: (baseUrl, handlers = {}, wire = {}) =>
    connectV1(new SSEClientTransport(new URL('/sse', baseUrl), wire), handlers),
};
const v2Legacy: ClientKind = {
  label: 'SDK 2.x client, legacy era',
  era: 'legacy',
  terminates: true,
  connect: (baseUrl, handlers = {}, wire = {}) => connectV2(baseUrl, 'legacy', handlers, wire),
};
const v2Modern: ClientKind = {
  label: 'SDK 2.x client, modern era',
  era: 'modern',
  terminates: false,
  connect: (baseUrl, handlers = {}, wire = {}) => connectV2(baseUrl, 'auto', handlers, wire),
};

export const LEGACY_CLIENTS: readonly ClientKind[] = [v1Streamable, v1Sse, v2Legacy];
export const ALL_CLIENTS: readonly ClientKind[] = [...LEGACY_CLIENTS, v2Modern];
export { v1Sse, v1Streamable, v2Legacy, v2Modern };
