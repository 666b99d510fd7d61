/**
 * One SSE response, read event by event as it comes, with the time of each: light enough for hundreds at once.
 *
 * What is closed here is deaf at once: events that were under way count as never received, as for a client that is gone.
 * Not here: the form of the bytes, which the strict parser of the raw client judges elsewhere; reconnecting.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { DEADLINE_MS, within } from '../support/eventually.js';
import { type RpcId, type RpcMessage, request } from '../support/json-rpc.js';
import { ACCEPT_BOTH, type RawSession } from '../support/raw-client.js';

export interface Received {
  readonly id: string | undefined;
  readonly event: string | undefined;
  /** Undefined: an event without data, or of a type of its own. */
  readonly message: RpcMessage | undefined;
  /** By `performance.now()`. */
  readonly at: number;
}

interface Opening {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly onReceived?: ((received: Received) => void) | undefined;
}

export class Follower {
  readonly status: number;
  readonly received: Received[] = [];
  /** True: the server ended it in order. False: the connection broke, or was closed here. */
  readonly ended: Promise<boolean>;
  lastEventId: string | undefined;
  readonly #outgoing: http.ClientRequest;
  readonly #incoming: http.IncomingMessage;
  readonly #onReceived: ((received: Received) => void) | undefined;
  readonly #waiters = new Set<() => void>();
  #rest = '';
  #deaf = false;
  #over = false;

  private constructor(outgoing: http.ClientRequest, incoming: http.IncomingMessage, { onReceived }: Opening) {
    this.#outgoing = outgoing;
    this.#incoming = incoming;
    this.#onReceived = onReceived;
    this.status = incoming.statusCode ?? 0;
    incoming.setEncoding('utf8');
    incoming.on('error', () => {});
    incoming.on('data', (chunk: string) => this.#read(chunk));
    this.ended = new Promise((resolve) => {
      incoming.once('close', () => {
        this.#over = true;
        for (const look of this.#waiters) look();
        resolve(incoming.complete);
      });
    });
  }

  static open(url: string, opening: Opening): Promise<Follower> {
    const { method = 'GET', headers, body } = opening;
    const opened = new Promise<Follower>((resolve, reject) => {
      const outgoing = http.request(url, { method, headers, agent: false });
      outgoing.on('error', reject);
      outgoing.once('response', (incoming) => resolve(new Follower(outgoing, incoming, opening)));
      outgoing.end(body);
    });
    return within(opened, `answer to ${method} ${url}`);
  }

  /** The session's main stream, or what follows an event; on the node with this URL. */
  static get(
    session: RawSession,
    nodeUrl: string,
    { lastEventId, onReceived }: { lastEventId?: string | undefined; onReceived?: Opening['onReceived'] } = {},
  ): Promise<Follower> {
    const resume = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
    const headers = session.headers({ Accept: 'text/event-stream', ...resume });
    return Follower.open(`${nodeUrl}/mcp`, { headers, onReceived });
  }

  /** Calls a tool; its progress comes under a token that is the id of the request. */
  static call(
    session: RawSession,
    nodeUrl: string,
    { name, args, id = randomUUID() }: { name: string; args: object; id?: RpcId },
    onReceived?: Opening['onReceived'],
  ): Promise<Follower> {
    const body = JSON.stringify(request(id, 'tools/call', { name, arguments: args, _meta: { progressToken: id } }));
    const headers = session.headers({ Accept: ACCEPT_BOTH, 'Content-Type': 'application/json' });
    return Follower.open(`${nodeUrl}/mcp`, { method: 'POST', headers, body, onReceived });
  }

  get messages(): RpcMessage[] {
    return this.received.flatMap(({ message }) => message ?? []);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Resolves when `check` holds, which is asked after each piece that came. */
  until(check: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    let look: () => void = () => {};
    const holds = new Promise<void>((resolve, reject) => {
      look = () => {
        if (check()) resolve();
        else if (this.#over) reject(new Error(`${what}: the stream ended before it, after ${this.#newest()}`));
      };
      this.#waiters.add(look);
      look();
    });
    return within(holds, what, deadlineMs)
      .catch((error: Error) => {
        throw new Error(`${error.message}; ${this.received.length} events so far, the newest ${this.#newest()}`);
      })
      .finally(() => this.#waiters.delete(look));
  }

  /** Takes nothing more off the wire, and leaves the connection open. */
  stall(): void {
    this.#incoming.pause();
  }

  goOn(): void {
    this.#incoming.resume();
  }

  close(): void {
    this.#deaf = true;
    this.#outgoing.destroy();
  }

  #read(chunk: string): void {
    const frames = (this.#rest + chunk).split('\n\n');
    this.#rest = frames.pop() ?? '';
    for (const frame of frames) {
      if (this.#deaf) return;
      this.#take(frame);
    }
    for (const look of this.#waiters) look();
  }

  #take(frame: string): void {
    const fields = new Map<string, string>();
    for (const line of frame.split('\n')) {
      const colon = line.indexOf(': ');
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
    }
    const [id, event, data] = [fields.get('id'), fields.get('event'), fields.get('data')];
    if (id === undefined && event === undefined && data === undefined) return;
    this.lastEventId = id ?? this.lastEventId;
    const isMessage = data !== undefined && data !== '' && (event === undefined || event === 'message');
    const received = { id, event, message: isMessage ? JSON.parse(data) : undefined, at: performance.now() };
    this.received.push(received);
    this.#onReceived?.(received);
  }

  #newest(): string {
    return JSON.stringify(this.received.at(-1) ?? null).slice(0, 300);
  }
}
