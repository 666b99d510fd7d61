/**
 * A client of 2026-07-28 that hides nothing: every request is complete in itself, goes to the node of the test's choice
 * on a connection of its own, and may be spoilt in any way before it is sent.
 */
import { randomUUID } from 'node:crypto';
import { isResponse, type RpcId, type RpcMessage, request } from '../support/json-rpc.js';
import { Exchange, type Hop, postMcp, type Target } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';

export const MODERN = '2026-07-28';
export const CLAIM = 'io.modelcontextprotocol/protocolVersion';
export const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
export const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/** All that a client can be asked for. */
export const ASKABLE = { elicitation: {}, sampling: {}, roots: {} };

export interface ModernOptions {
  readonly node?: number;
  readonly id?: RpcId;
  readonly capabilities?: unknown;
  /** Added to the envelope; undefined takes a member away. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** Added to the headers; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

type Params = Readonly<Record<string, unknown>>;

/** A member that is undefined is not sent. */
const present = <T>(members: Readonly<Record<string, T | undefined>>): Record<string, T> =>
  Object.fromEntries(Object.entries(members).filter((entry): entry is [string, T] => entry[1] !== undefined));

export function envelope({ capabilities = {}, meta = {} }: ModernOptions = {}): Record<string, unknown> {
  return present({
    [CLAIM]: MODERN,
    [CAPABILITIES]: capabilities,
    'io.modelcontextprotocol/clientInfo': { name: 'raw-client', version: '1.2.3' },
    ...meta,
  });
}

export function modernHeaders(method: string, params: Params, more: ModernOptions['headers'] = {}) {
  const name = method === 'resources/read' ? params.uri : params.name;
  const named = ['tools/call', 'prompts/get', 'resources/read'].includes(method);
  return present({
    'MCP-Protocol-Version': MODERN,
    'Mcp-Method': method,
    'Mcp-Name': named ? String(name) : undefined,
    ...more,
  });
}

export const body = (method: string, params: Params = {}, options: ModernOptions = {}): object =>
  request(options.id ?? 1, method, { ...params, _meta: envelope(options) });

/** POST of anything with the headers of a modern request for `method`. */
export function post(
  target: Target,
  message: unknown,
  { node, headers = {} }: Pick<ModernOptions, 'node' | 'headers'> = {},
): Promise<RawResponse> {
  const hop: Hop = { ...(node !== undefined && { node }), headers: present(headers) };
  return postMcp(target, message, hop);
}

/** Sends a whole modern request; resolves with the head of the answer, whatever it is. */
export function ask(
  target: Target,
  method: string,
  params: Params = {},
  options: ModernOptions = {},
): Promise<RawResponse> {
  const headers = modernHeaders(method, params, options.headers);
  return post(target, body(method, params, options), { ...options, headers });
}

/** The JSON-RPC answer, from one JSON body or the end of a stream. */
export async function answer(
  target: Target,
  method: string,
  params: Params = {},
  options: ModernOptions = {},
): Promise<RpcMessage> {
  const id = options.id ?? randomUUID();
  return new Exchange(await ask(target, method, params, { ...options, id }), id).answer();
}

export const callTool = (
  target: Target,
  name: string,
  args: object = {},
  options: ModernOptions & { readonly more?: Params } = {},
): Promise<RpcMessage> => answer(target, 'tools/call', { name, arguments: args, ...options.more }, options);

/** Everything but the response: what a server may say on the stream of a call. */
export const notificationsOf = (response: RawResponse): RpcMessage[] =>
  response.messages.filter((message) => !isResponse(message));
