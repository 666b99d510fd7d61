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
}

/** By this an item is taken out again. */
export type Due<T> = Place<Waiting<T>>;

export class DelayQueue<T> {
  readonly #delayMs: number;
  readonly #onDue: (item: T) => void;
  readonly #waiting = new Roster<Waiting<T>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: number, onDue: (item: T) => void) {
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  add(item: T): Due<T> {
    this.#timer ??= setTimeout(this.#run, this.#delayMs);
    return this.#waiting.add({ item, due: performance.now() + this.#delayMs });
  }

  /** Late or twice it does nothing. */
  remove(due: Due<T>): void {
    this.#waiting.remove(due);
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
      this.#waiting.shift();
      this.#onDue(next.item);
    }
  };
}
