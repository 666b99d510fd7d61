/**
 * Writes the events of one stream, in order. Stored before sent: an event reaches a client only after the log has it.
 *
 * One append is under way at a time; what is produced meanwhile goes with the next one. A store that is away makes the
 * writer wait and try again, for as long as `patienceMs`: the call behind it may be the only one that has the result.
 * An append whose outcome is unknown (no answer in time) is tried again too, so that an event can stand twice in the
 * log when the store failed between writing and answering; losing it would be worse.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppendOptions, AppendOutcome, EventLog } from './ports/event-log.js';
import { StoreUnavailable } from './ports/store.js';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2000;

export type Appended = Extract<AppendOutcome, { outcome: 'appended' }>;

export interface StreamWriterOptions {
  readonly log: EventLog;
  readonly sessionId: string;
  readonly streamId: string;
  readonly owner?: string;
  /** Registers owner and tail with the first append. */
  readonly open?: AppendOptions['open'];
  readonly patienceMs: number;
  /** Called for each append that succeeded, before those who wait for it go on. */
  readonly onStored: (outcome: Appended) => void;
}

/** The stream takes no more events: its session ended, another owner has it, or the store stayed away. */
export class StreamLost extends Error {
  override readonly name = 'StreamLost';
  readonly reason: 'gone' | 'fenced' | 'unavailable';
  constructor(reason: 'gone' | 'fenced' | 'unavailable') {
    super(`the stream takes no more events: ${reason}`);
    this.reason = reason;
  }
}

interface Pending {
  readonly data: string;
  readonly end: boolean;
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
  append(data: string, end = false): Promise<void> {
    if (this.#lost) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#pending.push({ data, end, resolve, reject });
      if (!this.#flushing) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    // Let the rest of this turn join in: the priming event and the first message make one append.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      const outcome = await this.#store(batch);
      if (outcome.outcome === 'appended') {
        this.#opened = true;
        this.#options.onStored(outcome);
        for (const { resolve } of batch) resolve();
      } else {
        this.#lost = new StreamLost(outcome.outcome);
        for (const { reject } of [...batch, ...this.#pending]) reject(this.#lost);
        this.#pending = [];
      }
    }
    this.#flushing = false;
  }

  async #store(batch: readonly Pending[]): Promise<AppendOutcome | { outcome: 'unavailable' }> {
    const { log, sessionId, streamId, owner, open, patienceMs } = this.#options;
    const options = { ...(owner !== undefined && { owner }), ...(open && !this.#opened && { open }) };
    const deadline = performance.now() + patienceMs;
    for (let pause = FIRST_RETRY_MS; ; pause = Math.min(pause * 2, LAST_RETRY_MS)) {
      try {
        return await log.append(sessionId, streamId, batch, options);
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || performance.now() > deadline) return { outcome: 'unavailable' };
        await sleep(pause);
      }
    }
  }
}
