/**
 * HTTP as a prober needs it: nothing is followed, repeated, pooled or decoded behind its back, and every byte has a time.
 *
 * Each request has a connection of its own unless an agent is given. Bodies are kept up to a bound. Not here: MCP.
 */
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { type Frame, FrameReader } from './frames.js';

/** Answers that the doctor reads are small; a page of a proxy is not worth more. */
const MAX_TEXT = 1024 * 1024;

export interface Ask {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
  /** Until the answer is whole; of a stream: until its head is there. */
  readonly timeoutMs: number;
  readonly agent?: http.Agent;
}

export interface Head {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly httpVersion: string;
  /** Milliseconds since the request was begun. */
  readonly afterMs: number;
}

export interface Answer extends Head {
  readonly text: string;
  /** `Date.now()` at the beginning and at the end. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** No answer: refused, reset, not in time. */
export class NoAnswer extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function begin(url: URL, { method = 'GET', headers = {}, body, agent }: Omit<Ask, 'timeoutMs'>): http.ClientRequest {
  const { request } = url.protocol === 'https:' ? https : http;
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const req = request(url, { method, headers: { ...headers, ...length }, agent: agent ?? false });
  req.end(body);
  return req;
}

const headOf = (res: http.IncomingMessage, since: number): Head => ({
  status: res.statusCode ?? 0,
  headers: res.headers,
  httpVersion: res.httpVersion,
  afterMs: performance.now() - since,
});

const broken = (error: NodeJS.ErrnoException): NoAnswer => new NoAnswer(error.code ?? 'ERROR', error.message);

/** @throws NoAnswer */
export function send(url: URL, ask: Ask): Promise<Answer> {
  const askedAt = Date.now();
  const since = performance.now();
  return new Promise((resolve, reject) => {
    const req = begin(url, ask);
    let answered = false;
    const timer = setTimeout(
      () => req.destroy(new NoAnswer('TIMEOUT', `no answer in ${ask.timeoutMs} ms`)),
      ask.timeoutMs,
    );
    // A proxy that refuses an upload answers and closes while it is still being sent: its answer counts, not the reset.
    req.on('error', (error: NodeJS.ErrnoException) => {
      if (answered) return;
      clearTimeout(timer);
      reject(error instanceof NoAnswer ? error : broken(error));
    });
    req.once('response', (res) => {
      answered = true;
      const head = headOf(res, since);
      let text = '';
      const body = decoded(res);
      const settle = (): void => {
        clearTimeout(timer);
        resolve({ ...head, text, askedAt, answeredAt: Date.now() });
      };
      body.on('data', (chunk: Buffer) => {
        if (text.length < MAX_TEXT) text += chunk.toString('utf8');
      });
      whenOver(res, body, settle);
    });
  });
}

function decoded(res: http.IncomingMessage): Readable {
  // Flushed as it comes: otherwise it would be this end that holds events back.
  const flush = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH };
  switch (res.headers['content-encoding']) {
    case 'gzip':
      return res.pipe(zlib.createGunzip(flush));
    case 'deflate':
      return res.pipe(zlib.createInflate(flush));
    case 'br':
      return res.pipe(zlib.createBrotliDecompress());
    default:
      return res;
  }
}

/** A body that is decoded ends after the response it comes from; one that breaks off never does. */
function whenOver(res: http.IncomingMessage, body: Readable, over: () => void): void {
  body.once('end', over).once('error', over);
  res.once('error', over);
  res.once('close', () => {
    if (!res.complete) over();
  });
}

/** A response that is read as it comes. */
export class Stream {
  /** Undefined: there was none in time. */
  readonly head: Promise<Head | undefined>;
  readonly frames: Frame[] = [];
  /** `cut`: the response broke off; `ended`: it was brought to its end; by us: never settles. */
  readonly over: Promise<{ readonly how: 'cut' | 'ended'; readonly afterMs: number }>;
  readonly #since = performance.now();
  readonly #req: http.ClientRequest;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(url: URL, ask: Ask) {
    this.#req = begin(url, ask);
    let onHead: (head: Head | undefined) => void = () => {};
    this.head = new Promise((resolve) => {
      onHead = resolve;
    });
    let onOver: (over: { how: 'cut' | 'ended'; afterMs: number }) => void = () => {};
    this.over = new Promise((resolve) => {
      onOver = resolve;
    });
    const timer = setTimeout(() => onHead(undefined), ask.timeoutMs);
    const finish = (how: 'cut' | 'ended'): void => {
      clearTimeout(timer);
      onHead(undefined);
      if (!this.#closed) onOver({ how, afterMs: this.elapsed });
      for (const wake of this.#waiting) wake();
    };
    this.#req.on('error', () => finish('cut'));
    this.#req.once('response', (res) => {
      clearTimeout(timer);
      onHead(headOf(res, this.#since));
      const reader = new FrameReader((frame) => {
        this.frames.push({ ...frame, atMs: this.elapsed });
        for (const wake of this.#waiting) wake();
      });
      const body = decoded(res);
      body.on('data', (chunk: Buffer) => reader.push(chunk.toString('utf8')));
      whenOver(res, body, () => finish(res.complete ? 'ended' : 'cut'));
    });
  }

  get elapsed(): number {
    return performance.now() - this.#since;
  }

  /** The first frame that is meant; undefined: not in time, or the stream is over. */
  async waitFor(meant: (frame: Frame) => boolean, timeoutMs: number): Promise<Frame | undefined> {
    const end = performance.now() + timeoutMs;
    let over = false;
    void this.over.then(() => {
      over = true;
    });
    for (;;) {
      const found = this.frames.find(meant);
      if (found) return found;
      const left = end - performance.now();
      if (left <= 0 || over || this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }

  close(): void {
    this.#closed = true;
    this.#req.destroy();
    // Whoever still waits would keep the program alive.
    for (const wake of this.#waiting) wake();
  }
}
