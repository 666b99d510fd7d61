/**
 * Writes the events of one stream, in order. Stored before sent: an event reaches a client only after the log has it.
 *
 * One append is under way at a time; what is produced meanwhile goes with the next one. A store that is away makes the
 * writer wait and try again, for as long as `patienceMs`: the call behind it may be the only one that has the result.
 * Each append has a name, so that one whose answer was lost is tried again and still stored once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppendOptions, AppendOutcome, EventLog } from './ports/event-log.js';
import { StoreUnavailable } from './ports/store.js';
import { randomId } from './random-id.js';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2000;
/** Bounds one append, and with it how far back the store looks to recognize one that is tried again. */
const EVENTS_PER_APPEND = 100;

export type Appended = Extract<AppendOutcome, { outcome: 'appended' }>;

export interface StreamWriterOptions {
  readonly log: EventLog;
  readonly sessionId: string;
  readonly streamId: string;
  /** The call that produces the events, where there is one; `open` goes with the first append. */
  readonly call?: Pick<NonNullable<AppendOptions['call']>, 'callId' | 'owner' | 'open'> & {
    /**
     * Sent before each try of the append that opens the call, on the same connection: whoever finds the call in the list
     * of its node before it is opened takes it for over and removes it from there.
     */
    readonly list?: () => void;
  };
  readonly patienceMs: number;
  /** Called for each append that succeeded, before those who wait for it go on. */
  readonly onStored: (outcome: Appended) => void;
}

/** The stream takes no more events: its session ended, another owner has it, or the store stayed away. */
export class StreamLost extends Error {
  override readonly name = 'StreamLost';
  readonly reason: 'gone' | 'fenced' | 'unavailable';
  constructor(reason: 'gone' | 'fenced' | 'unavailable', options?: ErrorOptions) {
    super(`the stream takes no more events: ${reason}`, options);
    this.reason = reason;
  }
}

export interface EventMarks {
  /** It is the last event of its stream. */
  readonly end?: boolean;
  /** It is the last event of its call. */
  readonly finish?: boolean;
}

interface Pending {
  readonly data: string;
  readonly end: boolean;
  readonly finish: boolean;
  readonly resolve: () => void;
  readonly reject: (error: StreamLost) => void;
}

export class StreamWriter {
  readonly #options: StreamWriterOptions;
  #pending: Pending[] = [];
  #flushing = false;
  #opened = false;
  #lost: StreamLost | undefined;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
  }

  /** Resolves when the event is stored. @throws StreamLost */
  append(data: string, { end = false, finish = end }: EventMarks = {}): Promise<void> {
    if (this.#lost) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#pending.push({ data, end, finish, resolve, reject });
      if (!this.#flushing) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    // Let the rest of this turn join in: the priming event and the first message make one append.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, EVENTS_PER_APPEND);
      const outcome = await this.#store(batch);
      if (outcome.outcome === 'appended') {
        this.#opened = true;
        this.#options.onStored(outcome);
        for (const { resolve } of batch) resolve();
      } else {
        this.#lost = new StreamLost(outcome.outcome, 'cause' in outcome ? { cause: outcome.cause } : undefined);
        for (const { reject } of [...batch, ...this.#pending]) reject(this.#lost);
        this.#pending = [];
      }
    }
    this.#flushing = false;
  }

  async #store(batch: readonly Pending[]): Promise<AppendOutcome | { outcome: 'unavailable'; cause: unknown }> {
    const { log, sessionId, streamId, call, patienceMs } = this.#options;
    const name = randomId(9);
    const finish = batch.some((event) => event.finish);
    const producer = call && {
      callId: call.callId,
      owner: call.owner,
      finish,
      ...(call.open && !this.#opened && { open: call.open }),
    };
    const deadline = performance.now() + patienceMs;
    let again = false;
    for (let pause = FIRST_RETRY_MS; ; pause = Math.min(pause * 2, LAST_RETRY_MS)) {
      try {
        if (producer?.open) call?.list?.();
        const options = { batch: name, again, ...(producer && { call: producer }) };
        return await log.append(sessionId, streamId, batch, options);
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || performance.now() > deadline)
          return { outcome: 'unavailable', cause: error };
        again = true;
        await sleep(pause);
      }
    }
  }
}
