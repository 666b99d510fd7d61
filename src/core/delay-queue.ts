/**
 * Many equal delays, one timer. Because every item waits equally long, items fall due in the order they were added,
 * so a queue and a single timer serve thousands of them: no timer per request or per command.
 *
 * Not here: different delays in one queue. Use one queue for each.
 */
export class DelayQueue<T> {
  readonly #delayMs: number;
  readonly #onDue: (item: T) => void;
  readonly #items = new Map<symbol, { readonly item: T; readonly due: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: number, onDue: (item: T) => void) {
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  /** Returns a function that takes the item out again; calling it late or twice does nothing. */
  add(item: T): () => void {
    const key = Symbol();
    this.#items.set(key, { item, due: performance.now() + this.#delayMs });
    this.#timer ??= setTimeout(this.#run, this.#delayMs);
    return () => {
      this.#items.delete(key);
    };
  }

  clear(): void {
    this.#items.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const [key, { item, due }] of this.#items) {
      // A millisecond of tolerance: timers may fire a fraction early, and a second round for that is waste.
      if (due > now + 1) {
        this.#timer = setTimeout(this.#run, due - now);
        return;
      }
      this.#items.delete(key);
      this.#onDue(item);
    }
  };
}
