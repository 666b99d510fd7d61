/** What a node does by the clock. One turn of a duty never overlaps the next, and a failed one is only a missed one. */
import type { Logger } from '../core/logger.js';
import { StoreUnavailable } from '../core/ports/store.js';

export class Clockwork {
  readonly #logger: Logger;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  every(ms: number, duty: string, run: () => Promise<void> | void): void {
    let running = false;
    const timer = setInterval(async () => {
      if (running) return;
      running = true;
      try {
        await run();
      } catch (error) {
        // That the store is away is said once, by the connection; not by every duty every time.
        if (!(error instanceof StoreUnavailable)) this.#logger.error({ error, duty }, 'duty failed');
      } finally {
        running = false;
      }
    }, ms);
    this.#timers.add(timer);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
  }
}
