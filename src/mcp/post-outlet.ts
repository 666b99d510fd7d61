/**
 * The answer to a POST: one JSON body, or an SSE stream that can be resumed.
 *
 * JSON when results are all the handlers produce, and soon. As soon as they send anything else, or when `upgradeMs` has
 * passed, the answer becomes a stream: a log with an owner is opened, the headers go out when its first event is
 * stored, and from then on a tail sends what the log holds. The fast path writes nothing to the store.
 *
 * A client that goes away changes nothing: the stream is written to the end, for whoever resumes it.
 */
import { DelayQueue, type Due } from '../core/delay-queue.js';
import type { Hub } from '../core/hub.js';
import type { JsonRpcMessage, JsonRpcResponse } from '../core/jsonrpc.js';
import { ErrorCode, errorResponse, responseText } from '../core/jsonrpc.js';
import type { CallJournal, CallName } from '../core/ports/call-journal.js';
import { START } from '../core/ports/event-log.js';
import { newConnectionId, newStreamId } from '../core/random-id.js';
import { type Appended, StreamWriter, type StreamWriterOptions } from '../core/stream-writer.js';
import { Tail, type TailContext } from '../core/tail.js';
import type { WriteMain } from './main-outlet.js';
import type { Outlet, PostReply, Refusal } from './outlet.js';

/** When to come back to a stream whose connection the server closed. */
const RECONNECT_MS = 500;

export interface PostOutletContext {
  readonly calls: CallJournal;
  readonly tails: TailContext;
  readonly hub: Hub;
  readonly upgrades: DelayQueue<PostOutlet>;
  readonly patienceMs: number;
}

export interface PostOutletOptions {
  readonly sessionId: string;
  readonly reply: PostReply;
  /** Requests in the body; each gets one answer. */
  readonly expected: number;
  /** Answers are sent as an array, also when there is only one. */
  readonly batch: boolean;
  /** Whether the session's revision has the event without data at the beginning, and with it early closing. */
  readonly primes: boolean;
  readonly writeMain: WriteMain;
  /** What a survivor needs to go on with the call; asked for when the answer becomes a stream. */
  readonly journal: () => string;
}

export class PostOutlet implements Outlet {
  readonly #context: PostOutletContext;
  readonly #options: PostOutletOptions;
  readonly #upgrade: Due<PostOutlet>;
  /** Texts of the answers that are ready. */
  readonly #results: string[] = [];
  #missing: number;
  #writer: StreamWriter | undefined;
  #tail: Tail | undefined;
  #callName: CallName | undefined;
  #closeWhenOpen = false;
  #done = false;

  constructor(context: PostOutletContext, options: PostOutletOptions) {
    this.#context = context;
    this.#options = options;
    this.#missing = options.expected;
    this.#upgrade = context.upgrades.add(this);
  }

  get callId(): string | undefined {
    return this.#callName?.callId;
  }

  static upgradeQueue(upgradeMs: number): DelayQueue<PostOutlet> {
    return new DelayQueue(upgradeMs, (outlet) => outlet.upgrade());
  }

  result(response: JsonRpcResponse): void | Promise<void> {
    if (this.#done) return;
    this.#missing -= 1;
    const text = responseText(response);
    if (this.#writer) return this.#writer.append(text, { end: this.#missing === 0 });
    this.#results.push(text);
    this.#sendJsonWhenComplete();
  }

  async related(message: JsonRpcMessage): Promise<void> {
    if (this.#done) return;
    // First the text: a message that cannot be written must not turn the answer into a stream.
    const text = JSON.stringify(message);
    this.upgrade();
    await (this.#writer as StreamWriter | undefined)?.append(text);
  }

  unrelated(message: JsonRpcMessage): Promise<void> {
    return this.#options.writeMain(message);
  }

  async unanswered(): Promise<void> {
    if (this.#done) return;
    this.#missing -= 1;
    if (this.#missing > 0) return;
    if (this.#writer) await this.#writer.append('', { end: true });
    else if (this.#results.length > 0) this.#sendJsonWhenComplete();
    else this.#finish(() => this.#options.reply.openStream(newConnectionId()).end());
  }

  async refuse(request: { readonly id: string | number }, refusal: Refusal): Promise<void> {
    if (this.#done) return;
    if (!this.#writer && !this.#options.batch) this.#finish(() => this.#options.reply.refuse(refusal, request.id));
    else
      await this.result(
        errorResponse(request.id, ErrorCode.InternalError, `The request was not completed: ${refusal}`),
      );
  }

  forbid(): boolean {
    if (this.#done || this.#writer) return false;
    this.#finish(() => {});
    return true;
  }

  abandon(refusal: Refusal): void {
    if (this.#done) return;
    this.#finish(() => {
      if (!this.#tail) this.#options.reply.refuse(refusal, null);
      // Another node goes on with the call; this response still sends what that one stores.
      else if (refusal !== 'fenced') this.#tail.close();
    });
  }

  closeStream(): void {
    if (this.#done || !this.#options.primes) return;
    this.#closeWhenOpen = true;
    this.upgrade();
    this.#tail?.close(RECONNECT_MS);
  }

  leave(): boolean {
    if (this.#done || this.#writer) return true;
    if (!this.#options.primes) return false;
    this.closeStream();
    return true;
  }

  /** Turns the answer into a stream, if it is not one already. */
  upgrade(): void {
    if (this.#done || this.#writer) return;
    this.#context.upgrades.remove(this.#upgrade);
    const { sessionId, reply } = this.#options;
    const { tails, patienceMs } = this.#context;
    const streamId = newStreamId();
    const connectionId = newConnectionId();
    let opened = false;
    const onStored: StreamWriterOptions['onStored'] = (outcome) => {
      if (!opened) this.#openTail(streamId, connectionId);
      opened = true;
      this.#stored(streamId, outcome);
    };
    const name = { sessionId, callId: streamId };
    this.#callName = name;
    this.#writer = new StreamWriter({
      log: tails.log,
      sessionId,
      streamId,
      call: {
        callId: streamId,
        owner: tails.nodeToken,
        open: {
          // Somebody who has gone already is not registered; who goes between here and the first event gives it up again.
          holder: reply.gone ? undefined : { nodeToken: tails.nodeToken, connectionId },
          journal: this.#options.journal(),
        },
        list: () => this.#list(name),
      },
      patienceMs,
      onStored,
    });
    const first = this.#writer.append('');
    // Whoever appends next hears of the same failure and deals with it.
    first.catch((error) => this.abandon(error.reason ?? 'unavailable'));
    for (const text of this.#results) void this.#writer.append(text).catch(() => undefined);
    this.#results.length = 0;
  }

  #list(name: CallName): void {
    const { calls, tails } = this.#context;
    calls.list(tails.nodeToken, name).catch((error: Error) => tails.logger.warn({ error }, 'call: not listed'));
  }

  #openTail(streamId: string, connectionId: string): void {
    const { sessionId, reply, primes } = this.#options;
    const { hub, tails } = this.#context;
    const sink = reply.openStream(connectionId);
    const closed = new Promise<void>((resolve) => sink.onClose(resolve));
    this.#tail = new Tail(tails, {
      sessionId,
      streamId,
      sink,
      position: { streamId, own: START },
      primes,
      started: true,
    });
    tails.metrics.streamOpened('call');
    void closed.then(() => tails.metrics.streamClosed('call'));
    hub.addTail(this.#tail, closed);
  }

  #stored(streamId: string, outcome: Appended): void {
    this.#context.hub.appended(this.#options.sessionId, streamId, outcome);
    if (this.#closeWhenOpen) this.#tail?.close(RECONNECT_MS);
    if (outcome.entries.at(-1)?.end) this.#finish(() => {});
  }

  #sendJsonWhenComplete(): void {
    if (this.#missing > 0) return;
    const { reply, batch } = this.#options;
    this.#finish(() => reply.json(batch ? `[${this.#results.join(',')}]` : (this.#results[0] as string)));
  }

  #finish(send: () => void): void {
    this.#done = true;
    const { calls, tails, upgrades } = this.#context;
    upgrades.remove(this.#upgrade);
    // A place that stays in the list by a failure here is found empty by whoever looks at it.
    if (this.#callName) calls.unlist(tails.nodeToken, this.#callName).catch(() => undefined);
    send();
  }
}
