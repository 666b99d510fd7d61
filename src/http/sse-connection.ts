/**
 * One SSE response.
 *
 * A client that does not read is cut off when more than `MAX_BUFFERED` bytes wait for it: the log keeps the rest, and a
 * client that comes back gets it. Headers ask every proxy between not to buffer.
 */
import type { ServerResponse } from 'node:http';
import type { EventSink, SseEvent } from '../core/event-sink.js';

/** Bytes waiting for one client before it is cut off; a single larger event still passes. */
const MAX_BUFFERED = 1024 * 1024;

export class SseConnection implements EventSink {
  readonly connectionId: string;
  readonly #res: ServerResponse;
  readonly #keepAliveMs: number;
  #lastWrite = Date.now();

  constructor(res: ServerResponse, connectionId: string, keepAliveMs: number) {
    this.#res = res;
    this.connectionId = connectionId;
    this.#keepAliveMs = keepAliveMs;
    if (res.headersSent || res.destroyed) return;
    res.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    res.flushHeaders();
  }

  get closed(): boolean {
    return this.#res.destroyed || this.#res.writableEnded;
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
    if (this.#res.writableLength > MAX_BUFFERED) {
      this.#res.destroy();
      return;
    }
    this.#lastWrite = Date.now();
    this.#res.write(frame);
  }
}
