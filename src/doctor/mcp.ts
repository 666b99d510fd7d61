/**
 * The MCP that the doctor speaks: sessions that it opens and ends, and requests of both eras, each on a connection of its
 * own. It keeps a list of what it has opened; `cleanUp` ends all of it and tells how much it could not end.
 */
import { randomUUID } from 'node:crypto';
import type http from 'node:http';
import { LATEST_LEGACY_REVISION, MODERN_REVISION } from '../core/revisions.js';
import { FrameReader } from './frames.js';
import { type Answer, type Ask, Stream, send } from './http.js';

const ACCEPT = 'application/json, text/event-stream';
const ENVELOPE = 'io.modelcontextprotocol/';
/** Where nodes do not share one store, the request to end a session has to find the node that knows it. */
const DELETE_ATTEMPTS = 12;

export type Headers = Readonly<Record<string, string | undefined>>;
// biome-ignore lint/suspicious/noExplicitAny: answers are read as they come, by code that asks for what may be missing.
export type Rpc = any;

export interface Prober {
  readonly url: URL;
  readonly token: string | undefined;
  readonly timeoutMs: number;
}

export interface Opened {
  readonly answer: Answer;
  /** Undefined: the answer says why. */
  readonly session: Session | undefined;
}

export class McpProber {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly #token: string | undefined;
  readonly #opened = new Set<string>();
  /** Sessions that cannot be ended: without an id that we know, or of the older transport. */
  #unnamed = 0;
  readonly #opening = new Set<Promise<Opened>>();
  #closing = false;

  constructor({ url, token, timeoutMs }: Prober) {
    this.url = url;
    this.#token = token;
    this.timeoutMs = timeoutMs;
  }

  /** A route beside `/mcp`, behind the same path prefix. */
  beside(path: string): URL {
    return new URL(path, new URL('.', this.url));
  }

  headers(more: Headers = {}): http.OutgoingHttpHeaders {
    const all: Headers = {
      'User-Agent': 'anynode-doctor',
      Authorization: this.#token === undefined ? undefined : `Bearer ${this.#token}`,
      ...more,
    };
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  request(url: URL, ask: Partial<Ask> & { readonly headers?: Headers } = {}): Promise<Answer> {
    return send(url, { timeoutMs: this.timeoutMs, ...ask, headers: this.headers(ask.headers) });
  }

  post(message: object | string, headers: Headers = {}, more: Partial<Ask> = {}): Promise<Answer> {
    const body = typeof message === 'string' ? message : JSON.stringify(message);
    return this.request(this.url, { ...more, method: 'POST', body, headers: { ...POST_HEADERS, ...headers } });
  }

  /** Opens a session, or tells why there is none. */
  async open(): Promise<Opened> {
    if (this.#closing) throw new Error('the examination is over');
    const opening = this.#open();
    this.#opening.add(opening);
    return opening.finally(() => this.#opening.delete(opening));
  }

  async #open(): Promise<Opened> {
    const answer = await this.post(call('initialize', INITIALIZE));
    const id = answer.headers['mcp-session-id'];
    if (answer.status === 200 && id === undefined && rpcOf(answer)?.result) this.#unnamed += 1;
    if (answer.status !== 200 || typeof id !== 'string') return { answer, session: undefined };
    this.#opened.add(id);
    const session = new Session(this, id, rpcOf(answer)?.result);
    await this.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session.headers).catch(() => undefined);
    return { answer, session };
  }

  /** Ends a session. False: it may live on until its time is up. */
  async end(id: string): Promise<boolean> {
    for (let attempt = 1; attempt <= DELETE_ATTEMPTS; attempt += 1) {
      const headers = { 'Mcp-Session-Id': id, 'MCP-Protocol-Version': LATEST_LEGACY_REVISION };
      const answer = await this.request(this.url, { method: 'DELETE', headers }).catch(() => undefined);
      if (answer && answer.status >= 200 && answer.status < 300) {
        this.#opened.delete(id);
        return true;
      }
      if (answer?.status !== 404) return false;
    }
    return false;
  }

  /** Ends whatever is still open; the number of sessions that could not be ended. */
  async cleanUp(): Promise<number> {
    this.#closing = true;
    // A session that is on its way is known only when its answer is there.
    await Promise.allSettled(this.#opening);
    await Promise.all([...this.#opened].map((id) => this.end(id)));
    return this.#opened.size + this.#unnamed;
  }

  modern(method: string, params: object = {}, headers: Headers = {}): Promise<Answer> {
    return this.post(modernBody(method, params), modernHeaders(method, headers));
  }

  /** Opens `/sse`. The session that it makes cannot be ended, and is counted as left behind. */
  openSse(): Stream {
    const headers = this.headers({ Accept: 'text/event-stream', 'Accept-Encoding': 'gzip, deflate, br' });
    this.#unnamed += 1;
    return new Stream(this.beside('sse'), { timeoutMs: this.timeoutMs, headers });
  }

  /** `initialize` of the HTTP+SSE transport, to where its stream has said. */
  initializeSse(endpoint: string): Promise<Answer> {
    const { search } = new URL(endpoint, this.url);
    const body = JSON.stringify(call('initialize', INITIALIZE));
    return this.request(this.beside(`messages${search}`), { method: 'POST', body, headers: POST_HEADERS });
  }

  /** A response that stays open; with the compression that browsers and most libraries offer. */
  stream(ask: Omit<Partial<Ask>, 'headers'> & { readonly headers?: Headers }): Stream {
    const headers = this.headers({ 'Accept-Encoding': 'gzip, deflate, br', ...ask.headers });
    return new Stream(this.url, { timeoutMs: this.timeoutMs, ...ask, headers });
  }

  listen(notifications: object): Stream {
    const method = 'subscriptions/listen';
    const body = JSON.stringify(modernBody(method, { notifications }));
    return this.stream({ method: 'POST', body, headers: { ...POST_HEADERS, ...modernHeaders(method) } });
  }
}

const POST_HEADERS = { 'Content-Type': 'application/json', Accept: ACCEPT };
const CLIENT_INFO = { name: 'anynode-doctor', version: '1' };
const INITIALIZE = { protocolVersion: LATEST_LEGACY_REVISION, capabilities: {}, clientInfo: CLIENT_INFO };

export const call = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: randomUUID(), method, params });

const modernBody = (method: string, params: object) =>
  call(method, {
    ...params,
    _meta: {
      [`${ENVELOPE}protocolVersion`]: MODERN_REVISION,
      [`${ENVELOPE}clientCapabilities`]: {},
      [`${ENVELOPE}clientInfo`]: CLIENT_INFO,
    },
  });

const modernHeaders = (method: string, more: Headers = {}): Headers => ({
  'MCP-Protocol-Version': MODERN_REVISION,
  'Mcp-Method': method,
  ...more,
});

export class Session {
  readonly id: string;
  /** What `initialize` was answered. */
  readonly result: Rpc;
  readonly #prober: McpProber;

  constructor(prober: McpProber, id: string, result: Rpc) {
    this.#prober = prober;
    this.id = id;
    this.result = result;
  }

  get headers(): Headers {
    return { 'Mcp-Session-Id': this.id, 'MCP-Protocol-Version': LATEST_LEGACY_REVISION };
  }

  request(method: string, params: object = {}, headers: Headers = {}, more: Partial<Ask> = {}): Promise<Answer> {
    return this.#prober.post(call(method, params), { ...this.headers, ...headers }, more);
  }

  mainStream(headers: Headers = {}): Stream {
    return this.#prober.stream({ headers: { ...this.headers, Accept: 'text/event-stream', ...headers } });
  }

  callStream(name: string, args: object): Stream {
    const body = JSON.stringify(call('tools/call', { name, arguments: args, _meta: { progressToken: 'doctor' } }));
    return this.#prober.stream({ method: 'POST', body, headers: { ...POST_HEADERS, ...this.headers } });
  }

  end(): Promise<boolean> {
    return this.#prober.end(this.id);
  }
}

/** The JSON-RPC answer, from a JSON body or from the last event of a stream; undefined: there is none. */
export function rpcOf({ headers, text }: Pick<Answer, 'headers' | 'text'>): Rpc {
  const texts: string[] = [];
  if (headers['content-type']?.startsWith('text/event-stream')) {
    new FrameReader(({ kind, data }) => kind === 'event' && data !== '' && texts.push(data)).push(`${text}\n\n`);
  } else texts.push(text);
  try {
    const value: unknown = JSON.parse(texts.at(-1) ?? '');
    return typeof value === 'object' && value !== null && 'jsonrpc' in value ? value : undefined;
  } catch {
    return undefined;
  }
}

export const errorCodeOf = (answer: Answer): number | undefined => rpcOf(answer)?.error?.code;

/** What came instead of JSON-RPC, in a few words. */
export function describe(answer: Answer): string {
  const rpc = rpcOf(answer);
  if (rpc?.error) return `${answer.status} (${rpc.error.code}, "${String(rpc.error.message).slice(0, 80)}")`;
  if (rpc) return `${answer.status} with a result`;
  const type = answer.headers['content-type']?.split(';')[0] ?? 'no type';
  const title = /<title>([^<]{1,60})/i.exec(answer.text)?.[1];
  return `${answer.status} and ${type}${title ? ` ("${title.trim()}")` : ''} instead of JSON-RPC`;
}
