/**
 * A client of the HTTP+SSE transport (2024-11-05) that hides nothing: one stream, POSTs to the node of one's choice.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { initialize, isResponse, notification, type RpcId, type RpcMessage, request } from './json-rpc.js';
import { baseUrl, type Hop, type Target } from './raw-client.js';
import { type RawResponse, send } from './raw-http.js';

export function openSse(target: Target, path = '/sse', hop: Hop = {}): Promise<RawResponse> {
  return send(`${baseUrl(target, hop)}${path}`, { headers: { Accept: 'text/event-stream', ...hop.headers } });
}

export function postMessage(target: Target, path: string, message: unknown, hop: Hop = {}): Promise<RawResponse> {
  return send(`${baseUrl(target, hop)}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...hop.headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
  });
}

export class RawSseSession {
  readonly target: Target;
  /** `/messages?sessionId=<id>`, as the `endpoint` event gave it. */
  readonly endpoint: string;
  readonly id: string;
  /** The newest stream; {@link reconnect} replaces it. */
  stream: RawResponse;

  private constructor(target: Target, endpoint: string, stream: RawResponse) {
    this.target = target;
    this.endpoint = endpoint;
    this.id = new URL(endpoint, target.url).searchParams.get('sessionId') ?? '';
    this.stream = stream;
  }

  /** Opens the stream only; the handshake is left to the test. */
  static async connect(target: Target, hop: Hop = {}): Promise<RawSseSession> {
    const stream = await openSse(target, '/sse', hop);
    expect(stream.status, 'status of GET /sse').to.equal(200);
    const first = await stream.waitForEvent(() => true, 'first event');
    expect(first.event).to.equal('endpoint');
    return new RawSseSession(target, first.data ?? '', stream);
  }

  static async open(
    target: Target,
    options: Hop & { readonly capabilities?: object; readonly revision?: string } = {},
  ): Promise<RawSseSession> {
    const session = await RawSseSession.connect(target, options);
    await session.post(initialize(options.revision ?? '2024-11-05', options.capabilities));
    const answer = await session.answerTo('init');
    expect(answer.result?.protocolVersion, JSON.stringify(answer)).to.be.a('string');
    await session.post(notification('notifications/initialized'));
    return session;
  }

  /** Posts a message and checks that it was accepted. */
  async post(message: unknown, hop: Hop = {}): Promise<void> {
    const response = await postMessage(this.target, this.endpoint, message, hop);
    expect([response.status, await response.text()].slice(0, 1), JSON.stringify(message)).to.deep.equal([202]);
  }

  answerTo(id: RpcId): Promise<RpcMessage> {
    return this.stream.waitFor((message) => isResponse(message) && message.id === id, `answer to ${id}`);
  }

  async request(method: string, params: unknown = {}, hop: Hop & { readonly id?: RpcId } = {}): Promise<RpcMessage> {
    const id = hop.id ?? randomUUID();
    await this.post(request(id, method, params), hop);
    return this.answerTo(id);
  }

  callTool(name: string, args: object = {}, hop: Hop & { readonly id?: RpcId } = {}): Promise<RpcMessage> {
    return this.request('tools/call', { name, arguments: args }, hop);
  }

  asked(method: string): Promise<RpcMessage> {
    return this.stream.waitFor((message) => message.method === method && message.id !== undefined, method);
  }

  /** Opens the stream of the same session again, on any node. */
  async reconnect(hop: Hop = {}): Promise<RawResponse> {
    this.stream = await openSse(this.target, `/sse?sessionId=${this.id}`, hop);
    expect(this.stream.status, 'status of the reconnect').to.equal(200);
    return this.stream;
  }
}
