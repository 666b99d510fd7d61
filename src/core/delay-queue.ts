/**
 * Many equal delays, one timer. Because every item waits equally long, items fall due in the order they were added,
 * so a queue and a single timer serve thousands of them: no timer per request or per command.
 *
 * Not here: different delays in one queue. Use one queue for each.
 */
import { type Place, Roster } from './roster.js';

interface Waiting<T> {
  readonly item: T;
  readonly due: number;
  place: Place<Waiting<T>> | undefined;
}

export class DelayQueue<T> {
  readonly #delayMs: number;
  readonly #onDue: (item: T) => void;
  readonly #waiting = new Roster<Waiting<T>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: number, onDue: (item: T) => void) {
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  /** Returns a function that takes the item out again; calling it late or twice does nothing. */
  add(item: T): () => void {
    const waiting: Waiting<T> = { item, due: performance.now() + this.#delayMs, place: undefined };
    const place = this.#waiting.add(waiting);
    waiting.place = place;
    this.#timer ??= setTimeout(this.#run, this.#delayMs);
    return () => this.#waiting.remove(place);
  }

  clear(): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (let next = this.#waiting.first; next; next = this.#waiting.first) {
      // A millisecond of tolerance: timers may fire a fraction early, and a second round for that is waste.
      if (next.due > now + 1) {
        this.#timer = setTimeout(this.#run, next.due - now);
        return;
      }
      if (next.place) this.#waiting.remove(next.place);
      this.#onDue(next.item);
    }
  };
}
