/**
 * The way into one node: letters, wake-ups, signals and changes, one after the other.
 *
 * Delivery never happens inside the call that caused it: handlers then run on a stack of their own, exactly as they do
 * with Redis, and code that only works with synchronous delivery fails here already.
 */
import type { BrokerHandlers } from '../core/ports/broker.js';

type Call = (handlers: BrokerHandlers) => void;

export class Delivery {
  readonly #handlers: BrokerHandlers;
  readonly #onHandlerError: (error: unknown) => void;
  #waiting: Call[] = [];
  #scheduled = false;
  #stopped = false;

  constructor(handlers: BrokerHandlers, onHandlerError: (error: unknown) => void) {
    this.#handlers = handlers;
    this.#onHandlerError = onHandlerError;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  push(call: Call): void {
    if (this.#stopped) return;
    this.#waiting.push(call);
    this.#schedule();
  }

  /** Nothing is delivered from here on, what waits included. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#deliver());
  }

  /** What handlers cause meanwhile waits for the next turn, so that a chatty pair of nodes cannot starve the event loop. */
  #deliver(): void {
    const calls = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    for (const call of calls) {
      if (this.#stopped) return;
      try {
        call(this.#handlers);
      } catch (error) {
        // A fault in a handler costs this one delivery: those behind it belong to other sessions.
        this.#onHandlerError(error);
      }
    }
  }
}
