/**
 * A client of the legacy era that hides nothing: the test decides which node gets which message, on a connection of
 * its own, and sees every event that comes back.
 *
 * Without `node` a request goes through the balancer; with it, straight to that node.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import {
  initialize,
  isResponse,
  NEWEST_REVISION,
  notification,
  type RpcId,
  type RpcMessage,
  request,
} from './json-rpc.js';
import { type RawResponse, send } from './raw-http.js';

export const ACCEPT_BOTH = 'application/json, text/event-stream';

/** Where a fleet can be reached: as clients do, and node by node. */
export interface Target {
  readonly url: string;
  readonly nodeUrls: readonly string[];
}

export interface Hop {
  /** Index of the node to ask; none: through the balancer. */
  readonly node?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export function baseUrl(target: Target, { node }: Hop): string {
  if (node === undefined) return target.url;
  const url = target.nodeUrls[node];
  if (url === undefined) throw new Error(`there is no node ${node}`);
  return url;
}

/** POST of a JSON body to /mcp, without any session unless the headers name one. */
export function postMcp(target: Target, message: unknown, hop: Hop = {}): Promise<RawResponse> {
  return send(`${baseUrl(target, hop)}/mcp`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH, ...hop.headers },
    body: JSON.stringify(message),
  });
}

/** A call under way: its messages come as one JSON body or as a stream, and read the same. */
export class Exchange {
  readonly response: RawResponse;
  readonly requestId: RpcId;

  constructor(response: RawResponse, requestId: RpcId) {
    this.response = response;
    this.requestId = requestId;
  }

  /** The answer to the call; fails when it does not come, or not with the id of the request. */
  async answer(deadlineMs?: number): Promise<RpcMessage> {
    if (!this.response.isStream) {
      const message = await this.response.json();
      expect(message.id, JSON.stringify(message)).to.equal(this.requestId);
      return message;
    }
    const own = (message: RpcMessage): boolean => isResponse(message) && message.id === this.requestId;
    return this.response.waitFor(own, `answer to ${this.requestId}`, deadlineMs);
  }

  /** The server's first request of that method on this stream. */
  asked(method: string, matches: (message: RpcMessage) => boolean = () => true): Promise<RpcMessage> {
    return this.response.waitFor((m) => m.method === method && m.id !== undefined && matches(m), method);
  }

  askedMany(method: string, count: number): Promise<RpcMessage[]> {
    return this.response.waitForMany((m) => m.method === method && m.id !== undefined, count, method);
  }
}

export interface OpenOptions extends Hop {
  readonly revision?: string;
  readonly capabilities?: object;
  /** False: `notifications/initialized` is left to the test. */
  readonly initialized?: boolean;
}

export class RawSession {
  readonly target: Target;
  readonly id: string;
  readonly revision: string;
  readonly handshake: RpcMessage;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(target: Target, id: string, handshake: RpcMessage, headers: Readonly<Record<string, string>>) {
    this.target = target;
    this.id = id;
    this.handshake = handshake;
    this.revision = handshake.result.protocolVersion;
    this.#headers = headers;
  }

  static async open(target: Target, options: OpenOptions = {}): Promise<RawSession> {
    const { revision = NEWEST_REVISION, capabilities = {}, initialized = true, ...hop } = options;
    const response = await postMcp(target, initialize(revision, capabilities), hop);
    const handshake = await new Exchange(response, 'init').answer();
    expect(response.status, JSON.stringify(handshake)).to.equal(200);
    const id = response.headers['mcp-session-id'];
    if (typeof id !== 'string') throw new Error('initialize gave no Mcp-Session-Id');
    const session = new RawSession(target, id, handshake, hop.headers ?? {});
    if (initialized) await session.notify('notifications/initialized', undefined, hop);
    return session;
  }

  headers(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const all: Record<string, string> = { Accept: ACCEPT_BOTH, 'Mcp-Session-Id': this.id, ...this.#headers };
    // The header exists from 2025-06-18 on; older clients do not send it.
    if (this.revision >= '2025-06-18') all['MCP-Protocol-Version'] = this.revision;
    return { ...all, ...more };
  }

  post(message: unknown, hop: Hop = {}): Promise<RawResponse> {
    return postMcp(this.target, message, { ...hop, headers: this.headers(hop.headers) });
  }

  /** Sends a request and resolves when the head of the answer is there: the call itself may run on. */
  async start(method: string, params: unknown, hop: Hop & { readonly id?: RpcId } = {}): Promise<Exchange> {
    const id = hop.id ?? randomUUID();
    const response = await this.post(request(id, method, params), hop);
    expect(response.status, `status of ${method}`).to.equal(200);
    return new Exchange(response, id);
  }

  async request(method: string, params: unknown = {}, hop: Hop & { readonly id?: RpcId } = {}): Promise<RpcMessage> {
    return (await this.start(method, params, hop)).answer();
  }

  callTool(name: string, args: object = {}, hop: Hop & { readonly id?: RpcId } = {}): Promise<RpcMessage> {
    return this.request('tools/call', { name, arguments: args }, hop);
  }

  /** Starts a tool; with `progressToken` its progress can be seen on the stream. */
  startTool(
    name: string,
    args: object = {},
    hop: Hop & { readonly id?: RpcId; readonly progressToken?: string | number } = {},
  ): Promise<Exchange> {
    const meta = hop.progressToken === undefined ? {} : { _meta: { progressToken: hop.progressToken } };
    return this.start('tools/call', { name, arguments: args, ...meta }, hop);
  }

  /** Posts what gets no answer and checks that it was accepted as such: 202 and not a byte of body. */
  async accepted(message: unknown, hop: Hop = {}): Promise<void> {
    const response = await this.post(message, hop);
    const body = await response.text();
    expect([response.status, body], JSON.stringify(message)).to.deep.equal([202, '']);
  }

  notify(method: string, params?: unknown, hop: Hop = {}): Promise<void> {
    return this.accepted(notification(method, params), hop);
  }

  /** The client's answer to a request of the server. */
  reply(asked: RpcMessage, answer: { result: unknown } | { error: unknown }, hop: Hop = {}): Promise<void> {
    return this.accepted({ jsonrpc: '2.0', id: asked.id, ...answer }, hop);
  }

  /** The standalone stream, or with `lastEventId` the rest of an earlier one. */
  async stream(hop: Hop & { readonly lastEventId?: string } = {}): Promise<RawResponse> {
    const resume = hop.lastEventId === undefined ? {} : { 'Last-Event-ID': hop.lastEventId };
    const headers = this.headers({ Accept: 'text/event-stream', ...resume, ...hop.headers });
    const response = await send(`${baseUrl(this.target, hop)}/mcp`, { headers });
    expect(response.status, 'status of the GET stream').to.equal(200);
    return response;
  }

  delete(hop: Hop = {}): Promise<RawResponse> {
    return send(`${baseUrl(this.target, hop)}/mcp`, { method: 'DELETE', headers: this.headers(hop.headers) });
  }

  /** Status of a plain `ping`: 200 while the session lives, 404 afterwards. */
  async status(hop: Hop = {}): Promise<number> {
    const response = await this.post(request(randomUUID(), 'ping'), hop);
    await response.text();
    return response.status;
  }
}
