/**
 * Some at a time: ten thousand commands in one burst would be answered later than any deadline allows, and the store would
 * be taken for lost.
 */
export async function inPortions<T>(items: readonly T[], atOnce: number, work: (item: T) => unknown): Promise<void> {
  for (let i = 0; i < items.length; i += atOnce) await Promise.all(items.slice(i, i + atOnce).map(work));
}

/** The same for work that comes by itself: what is too much waits, in order. */
export class Portions {
  readonly #atOnce: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // Handed on to whoever waits for longest, else free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
