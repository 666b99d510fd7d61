/**
 * How many calls of one session may run at a time.
 *
 * Two counts, neither of which costs a command: what runs on this node, counted here; and the calls that became streams
 * or are answered on the main stream, on any node, which the store tells with the session. So a session never has more
 * than the limit on one node, and none is begun while as many that last longer than `STREAM_UPGRADE_MS` run in the
 * fleet. Calls that are over sooner are not counted on other nodes.
 */
import type { SessionRecord } from '../core/ports/session-store.js';

/** The session has as many calls running as it may. */
export class TooManyCalls extends Error {
  override readonly name = 'TooManyCalls';
  readonly limit: number;

  constructor(limit: number) {
    super(`a session may have ${limit} calls running`);
    this.limit = limit;
  }
}

export class RunningCalls {
  readonly #limit: number;
  readonly #here = new Map<string, number>();

  /** 0: no limit. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts calls until the returned function is called. @throws TooManyCalls */
  enter({ sessionId, runningCalls = 0 }: SessionRecord, calls: number): () => void {
    if (this.#limit === 0) return () => {};
    const here = this.#here.get(sessionId) ?? 0;
    if (here + calls > this.#limit || runningCalls >= this.#limit) throw new TooManyCalls(this.#limit);
    this.#here.set(sessionId, here + calls);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const rest = (this.#here.get(sessionId) ?? calls) - calls;
      if (rest > 0) this.#here.set(sessionId, rest);
      else this.#here.delete(sessionId);
    };
  }
}
