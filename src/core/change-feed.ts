/**
 * The fleet's changes as this node hears them: in order, each once. A hint that does not follow the last one seen means
 * that some were lost, and the log is read.
 */
import type { Logger } from './logger.js';
import type { ChangeEntry, ChangeLog } from './ports/change-log.js';
import { StoreUnavailable } from './ports/store.js';

const READ_LIMIT = 500;

export class ChangeFeed {
  readonly #log: ChangeLog;
  readonly #logger: Logger;
  readonly #listeners = new Set<(entry: ChangeEntry) => void>();
  readonly #onMissed = new Set<() => void>();
  #position: string | undefined;
  #round: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #reading = false;

  constructor(log: ChangeLog, logger: Logger) {
    this.#log = log;
    this.#logger = logger;
  }

  /** Position of the last change passed on; undefined until the log was reached for the first time. */
  get position(): string | undefined {
    return this.#position;
  }

  /** `onMissed` is called when changes are gone that this node has not seen: anything may have changed. */
  listen(listener: (entry: ChangeEntry) => void, onMissed: () => void): () => void {
    this.#listeners.add(listener);
    this.#onMissed.add(onMissed);
    return () => {
      this.#listeners.delete(listener);
      this.#onMissed.delete(onMissed);
    };
  }

  /** Resolves when changes are heard from here on. @throws StoreUnavailable */
  async ready(): Promise<void> {
    if (this.#position === undefined) await this.look();
    if (this.#position === undefined) throw new StoreUnavailable('changes cannot be heard yet');
  }

  hear(previous: string, entry: ChangeEntry): void {
    if (!this.#reading && previous === this.#position) this.#pass(entry);
    else void this.look();
  }

  /**
   * Reads what was missed; resolves when a reading that began after this call is done, or the store has failed. The first one
   * only finds out where the log ends: nobody has missed anything yet.
   */
  look(): Promise<void> {
    this.#next ??= this.#round.then(() => {
      this.#next = undefined;
      this.#round = this.#read();
      return this.#round;
    });
    return this.#next;
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      if (this.#position === undefined) {
        this.#position = await this.#log.latest();
        return;
      }
      const { complete, entries } = await this.#log.read(this.#position, READ_LIMIT);
      if (!complete) {
        this.#position = entries.at(-1)?.position ?? (await this.#log.latest());
        for (const missed of this.#onMissed) missed();
      } else for (const entry of entries) this.#pass(entry);
      if (!complete || entries.length === READ_LIMIT) void this.look();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) this.#logger.error({ error }, 'changes: look failed');
    } finally {
      this.#reading = false;
    }
  }

  #pass(entry: ChangeEntry): void {
    this.#position = entry.position;
    for (const listener of this.#listeners) listener(entry);
  }
}
