/**
 * One SSE response.
 *
 * Memory is bounded by what may wait for a client that reads slowly; one that does not read at all is cut off, and gets
 * the rest from the log if it comes back. Headers ask every proxy between not to buffer.
 */
import type { ServerResponse } from 'node:http';
import type { Identity } from '../core/authentication.js';
import type { EventSink, SseEvent } from '../core/event-sink.js';
import type { TokenExpiry } from '../core/token-expiry.js';
import { SAFE_HEADERS } from './reply.js';

/** Bytes that may wait for one client. What is beyond stays in the log until it has read them. */
const MAX_WAITING = 256 * 1024;
/** A client that has read nothing for this long although something waits for it is gone, or might as well be. */
const STUCK_MS = 10_000;

/** When a client may come back whose token has ended: it needs a new one first. */
const REFRESH_MS = 1000;

/** Ends the stream in order when the token of its request ends. Calls that answer on streams of their own finish. */
export function expiring(tokenExpiry: TokenExpiry, { expiresAt }: Identity, sink: SseConnection): SseConnection {
  if (expiresAt === undefined) return sink;
  const forget = tokenExpiry.follow(expiresAt, () => {
    sink.retry(REFRESH_MS);
    sink.end();
  });
  sink.onClose(forget);
  return sink;
}

export class SseConnection implements EventSink {
  readonly connectionId: string;
  readonly #res: ServerResponse;
  readonly #keepAliveMs: number;
  #lastWrite = Date.now();
  #congestedSince: number | undefined;
  #onDrain: (() => void) | undefined;

  constructor(res: ServerResponse, connectionId: string, keepAliveMs: number) {
    this.#res = res;
    this.connectionId = connectionId;
    this.#keepAliveMs = keepAliveMs;
    if (res.headersSent || res.destroyed) return;
    res.writeHead(200, {
      ...SAFE_HEADERS,
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    res.flushHeaders();
    res.on('drain', () => {
      this.#congestedSince = undefined;
      const listener = this.#onDrain;
      this.#onDrain = undefined;
      listener?.();
    });
  }

  get closed(): boolean {
    return this.#res.destroyed || this.#res.writableEnded;
  }

  get congested(): boolean {
    return this.#congestedSince !== undefined;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  cutIfStuck(): void {
    if (this.#congestedSince !== undefined && Date.now() - this.#congestedSince > STUCK_MS) this.#res.destroy();
  }

  send({ id, event, data }: SseEvent): void {
    let frame = '';
    if (event !== undefined) frame += `event: ${event}\n`;
    if (id !== undefined) frame += `id: ${id}\n`;
    // JSON texts have no line breaks, so one data line holds any message.
    this.#write(`${frame}data: ${data}\n\n`);
  }

  retry(ms: number): void {
    this.#write(`retry: ${ms}\n\n`);
  }

  keepAlive(): void {
    if (Date.now() - this.#lastWrite >= this.#keepAliveMs / 2) this.#write(': keep-alive\n\n');
  }

  end(): void {
    if (!this.closed) this.#res.end();
  }

  onClose(listener: () => void): void {
    if (this.#res.destroyed || this.#res.closed) listener();
    else this.#res.once('close', listener);
  }

  #write(frame: string): void {
    if (this.closed) return;
    this.#lastWrite = Date.now();
    const flushed = this.#res.write(frame);
    if (!flushed && this.#res.writableLength > MAX_WAITING) this.#congestedSince ??= Date.now();
  }
}
