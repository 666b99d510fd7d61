/**
 * HTTP as it is on the wire: every request on a connection of its own, headers exactly as given, no retries, no pool.
 *
 * Not here: anything that knows sessions; see raw-client.
 */
import http from 'node:http';
import { DEADLINE_MS, within } from './eventually.js';
import type { RpcMessage } from './json-rpc.js';
import { type SseEvent, SseParser } from './sse.js';

export interface RawRequest {
  readonly method?: string;
  /** A list of names and values in turn where the same name is wanted twice. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  readonly body?: string | Uint8Array;
}

/** Sends one request; resolves with the head of the answer. */
export function send(url: string, { method = 'GET', headers = {}, body }: RawRequest = {}): Promise<RawResponse> {
  const target = new URL(url);
  const list = Array.isArray(headers) ? [...headers] : Object.entries(headers).flat();
  const names = new Set(list.filter((_, i) => i % 2 === 0).map((name: string) => name.toLowerCase()));
  if (!names.has('host')) list.push('Host', target.host);
  const framed = names.has('content-length') || names.has('transfer-encoding');
  if (body !== undefined && !framed) list.push('Content-Length', `${Buffer.byteLength(body)}`);
  list.push('Connection', 'close');
  return within(
    new Promise((resolve, reject) => {
      const outgoing = http.request({
        agent: false,
        host: target.hostname,
        port: target.port,
        method,
        path: `${target.pathname}${target.search}`,
        headers: list,
      });
      outgoing.setNoDelay(true);
      outgoing.once('response', (incoming) => resolve(new RawResponse(outgoing, incoming)));
      // After the head, what goes wrong shows in the body (an upload refused early breaks off, for one).
      outgoing.on('error', reject);
      outgoing.end(body);
    }),
    `answer to ${method} ${url}`,
  );
}

/** An answer whose body is still coming: whole text, JSON, or events as they arrive. */
export class RawResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Events in order of arrival; stays empty for other content types. */
  readonly events: SseEvent[] = [];
  /** Resolves when the body is over: true where the server ended it in order, false where the connection broke. */
  readonly ended: Promise<boolean>;
  readonly #outgoing: http.ClientRequest;
  readonly #waiters = new Set<() => void>();
  #text = '';
  #over = false;
  #fault: unknown;

  constructor(outgoing: http.ClientRequest, incoming: http.IncomingMessage) {
    this.#outgoing = outgoing;
    this.status = incoming.statusCode ?? 0;
    this.headers = incoming.headers;
    const parser = new SseParser((event) => this.events.push(event));
    const isStream = this.isStream;
    incoming.on('data', (chunk: Buffer) => {
      if (isStream) this.#guard(() => parser.push(chunk));
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    incoming.on('error', () => {});
    this.ended = new Promise((resolve) => {
      incoming.once('close', () => {
        if (isStream && incoming.complete) this.#guard(() => parser.end());
        this.#over = true;
        this.#wake();
        resolve(incoming.complete);
      });
    });
  }

  get isStream(): boolean {
    return (this.headers['content-type'] ?? '').startsWith('text/event-stream');
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The JSON-RPC messages that have come so far as events. */
  get messages(): RpcMessage[] {
    return this.events
      .filter(({ event, data }) => data !== undefined && data !== '' && (event === undefined || event === 'message'))
      .map(({ data }) => JSON.parse(data ?? '') as RpcMessage);
  }

  /** {@link ended}, waited for no longer than the deadline. */
  async untilEnd(deadlineMs = DEADLINE_MS): Promise<boolean> {
    try {
      return await within(this.ended, 'end of the body', deadlineMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}; seen so far: ${this.#seen()}`);
    }
  }

  /** The whole body, when it is over. */
  async text(): Promise<string> {
    await this.untilEnd();
    return Buffer.from(this.#text, 'latin1').toString('utf8');
  }

  /** @throws where the connection broke before the body was whole: that is no fault of what was written. */
  async json(): Promise<RpcMessage> {
    const text = await this.text();
    if (!(await this.ended)) throw new Error(`the body: the stream ended before it; got ${this.#seen()}`);
    return JSON.parse(text) as RpcMessage;
  }

  /** The first message that matches, among those that have come and those still to come. */
  waitFor(matches: (message: RpcMessage) => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<RpcMessage> {
    return this.#until(() => this.messages.find(matches), what, deadlineMs);
  }

  /** The first `count` messages that match. */
  async waitForMany(
    matches: (message: RpcMessage) => boolean,
    count: number,
    what: string,
    deadlineMs = DEADLINE_MS,
  ): Promise<RpcMessage[]> {
    const enough = (): RpcMessage[] | undefined => {
      const found = this.messages.filter(matches);
      return found.length >= count ? found.slice(0, count) : undefined;
    };
    return this.#until(enough, `${count} x ${what}`, deadlineMs);
  }

  waitForEvent(matches: (event: SseEvent) => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<SseEvent> {
    return this.#until(() => this.events.find(matches), what, deadlineMs);
  }

  /** Drops the connection, as a client does that goes away. */
  close(): void {
    this.#outgoing.destroy();
  }

  #until<T>(probe: () => T | undefined, what: string, deadlineMs: number): Promise<T> {
    let look: () => void = () => {};
    const found = new Promise<T>((resolve, reject) => {
      look = () => {
        const value = probe();
        if (this.#fault !== undefined) reject(this.#fault);
        else if (value !== undefined) resolve(value);
        else if (this.#over) reject(new Error(`${what}: the stream ended before it; got ${this.#seen()}`));
      };
      this.#waiters.add(look);
      look();
    });
    return within(found, what, deadlineMs)
      .catch((error: Error) => {
        throw new Error(`${error.message}; seen so far: ${this.#seen()}`);
      })
      .finally(() => this.#waiters.delete(look));
  }

  #seen(): string {
    return JSON.stringify(this.isStream ? this.events : this.#text).slice(0, 1500);
  }

  #guard(parse: () => void): void {
    try {
      parse();
    } catch (error) {
      this.#fault ??= error;
    }
  }

  #wake(): void {
    for (const look of this.#waiters) look();
  }
}
