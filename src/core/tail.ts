/**
 * The tail: reads a log from a position into an SSE response, and follows it live.
 *
 * One piece of code for all doors: the response of a POST that became a stream, GET with or without `Last-Event-ID`,
 * and `/sse`. Events come in two ways, as hints that carry them and by looking at the log. A hint is used only when it
 * follows exactly what was sent last; anything else leads to a look. So each event is sent once and in order, and a
 * lost hint costs latency and nothing else.
 *
 * A message goes to one response only: the one that holds the stream's lease. A tail that lost it stays open and
 * silent until the lease is free again.
 *
 * Not here: who may read the stream (the doors), changes of lists and resources (main-tail.ts).
 */
import { type EventPosition, formatDelivered, formatEventId } from './event-id.js';
import type { EventSink, SseEvent } from './event-sink.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';
import { type EventLog, type LogEntry, START, type TailHolder } from './ports/event-log.js';
import { StoreUnavailable } from './ports/store.js';

/** Events read at once: bounds what one reply of the store, and one burst to a client, can be. */
const READ_LIMIT = 200;

export interface TailContext {
  readonly log: EventLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly nodeToken: string;
}

export interface TailOptions {
  readonly sessionId: string;
  readonly streamId: string;
  readonly sink: EventSink;
  readonly position: EventPosition;
  /** Whether the event without data at the beginning of a call's stream is sent (it depends on the revision). */
  readonly primes: boolean;
  /** The log begins with what is offered first: there is nothing to read before, and no `start` to wait for. */
  readonly started?: boolean;
}

export class Tail {
  readonly sessionId: string;
  readonly streamId: string;
  readonly holder: TailHolder;
  protected readonly context: TailContext;
  protected readonly sink: EventSink;
  protected own: string;
  readonly #primes: boolean;
  #active = true;
  /** Counts the times that the position was set from outside. */
  #turn = 0;
  #started: boolean;
  #finished = false;
  #looking: Promise<void> | undefined;
  #lookAgain = false;

  constructor(context: TailContext, options: TailOptions) {
    this.context = context;
    this.sessionId = options.sessionId;
    this.streamId = options.streamId;
    this.sink = options.sink;
    this.own = options.position.own;
    this.#primes = options.primes;
    this.#started = options.started ?? false;
    this.holder = { nodeToken: context.nodeToken, connectionId: options.sink.connectionId };
  }

  /** Whether this is the response that sends the stream. */
  get active(): boolean {
    return this.#active && !this.#finished && !this.sink.closed;
  }

  /** Whether the lease of the stream is ours to give back. One whose log is over needs no giving back. */
  get holds(): boolean {
    return this.#active && !this.#finished;
  }

  get finished(): boolean {
    return this.#finished || this.sink.closed;
  }

  /** Changes whenever the position is set from outside. */
  protected get turn(): number {
    return this.#turn;
  }

  /** Whether there is more to read than what hints will bring. */
  get behind(): boolean {
    return false;
  }

  protected get position(): EventPosition {
    return { streamId: this.streamId, own: this.own };
  }

  /** How far the client has been served; kept with the stream for a client that comes back without saying. */
  get delivered(): string {
    return formatDelivered(this.position);
  }

  /**
   * Another response holds the stream now: stay open, send nothing, and say how far this one got. What was written
   * before this is all that was written, so the other one can go on exactly there.
   */
  fallSilent(): void {
    if (!this.#active) return;
    this.#active = false;
    this.context.log
      .handOver(this.sessionId, this.streamId, this.holder, this.#started ? this.delivered : undefined)
      .catch((error: Error) => this.context.logger.debug({ error }, 'tail: not handed over'));
  }

  /** Somebody may have taken over: the store knows, hints can be late. */
  async verify(): Promise<void> {
    if (this.#started) return this.look();
    if (!this.active) return;
    const holder = await this.context.log.tailHolder(this.sessionId, this.streamId).catch(() => this.holder);
    if (holder?.connectionId !== this.holder.connectionId) this.fallSilent();
  }

  /** Begins to send: from `position`, where given, else from where it was made to. */
  start(position?: EventPosition): void {
    if (this.#started) return;
    this.#started = true;
    if (position) this.moveTo(position);
    void this.look();
  }

  protected moveTo(position: EventPosition): void {
    this.#turn += 1;
    this.own = position.own;
  }

  /** The lease is ours (again); go on from where its former holder stopped. */
  wake(position: EventPosition): void {
    this.#active = true;
    this.#started = true;
    this.moveTo(position);
    void this.look();
  }

  /** A silent tail of a stream that is over has nothing to wait for. */
  async endIfOver(): Promise<void> {
    const { known, over } = await this.context.log.read(this.sessionId, this.streamId, this.own, READ_LIMIT);
    if (!known || over) this.finish();
  }

  /** Events that were just stored, and what they follow. */
  offer(previous: string, entries: readonly LogEntry[]): void {
    if (!this.active || !this.#started) return;
    if (this.#looking !== undefined || previous !== this.own) void this.look();
    else this.#deliver(entries);
  }

  /** Reads what is new. Never two reads at once: a second call while one runs makes it read once more. */
  look(): Promise<void> {
    if (!this.active || !this.#started) return Promise.resolve();
    this.#lookAgain = true;
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #read(): Promise<void> {
    while (this.#lookAgain && this.active) {
      this.#lookAgain = false;
      const turn = this.#turn;
      try {
        const { known, complete, over, entries, holder } = await this.context.log.read(
          this.sessionId,
          this.streamId,
          this.own,
          READ_LIMIT,
        );
        if (!this.active) return;
        if (turn !== this.#turn) {
          // Woken at another position while this was read: read again from there.
          this.#lookAgain = true;
          continue;
        }
        if (holder?.connectionId !== this.holder.connectionId) {
          // Taken over, and the word of it was lost: this process may have stood still for longer than its lease.
          this.fallSilent();
          return;
        }
        if (!complete || (!known && this.own !== START)) this.onHistoryLost(known);
        if (!this.#deliver(entries)) return;
        if (over) this.finish();
        else if (entries.length === READ_LIMIT) this.#lookAgain = true;
      } catch (error) {
        // The position has not moved, so the next look, at the latest the one by the clock, reads the same again.
        if (!(error instanceof StoreUnavailable)) this.context.logger.error({ error }, 'tail: look failed');
        return;
      }
    }
  }

  /** False: the client has to read first; what is left stays in the log until then. */
  #deliver(entries: readonly LogEntry[]): boolean {
    let sent = false;
    for (const entry of entries) {
      if (this.finished) return true;
      if (this.sink.congested) {
        this.sink.onDrain(() => this.onDrained());
        break;
      }
      this.own = entry.position;
      sent = true;
      if (entry.data !== '' || (this.#primes && !entry.end)) {
        this.sink.send({ id: formatEventId(this.position), data: entry.data });
      }
      if (entry.end) this.finish();
    }
    if (sent) this.onDelivered();
    return entries.length === 0 || this.own === entries.at(-1)?.position;
  }

  protected onDrained(): void {
    void this.look();
  }

  /** The log of a call's stream that is gone altogether has nothing more to come. */
  protected onHistoryLost(known: boolean): void {
    this.context.metrics.historyLost();
    this.sink.send(historyLost(this.streamId));
    if (!known) this.finish();
  }

  protected onDelivered(): void {}

  cutIfStuck(): void {
    if (!this.finished) this.sink.cutIfStuck();
  }

  keepAlive(): void {
    if (!this.finished) this.sink.keepAlive();
  }

  /** Ends the response; the stream itself may go on elsewhere. */
  close(retryMs?: number): void {
    if (this.finished) return;
    if (retryMs !== undefined) this.sink.retry(retryMs);
    this.sink.end();
  }

  /** Nothing more will come on this stream. */
  protected finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.sink.end();
  }
}

/** Events between what the client has and what is left are gone. Clients ignore event types they do not know. */
export function historyLost(streamId: string): SseEvent {
  return { event: 'history_lost', data: JSON.stringify({ streamId }) };
}
