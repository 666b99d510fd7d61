/**
 * An ordered log in memory that can lose its oldest entries and knows that it did.
 *
 * Positions grow strictly for the whole life of the object, also over entries that are gone.
 * Not here: life times and who may write; its users decide when to drop and what.
 */
import { START } from '../core/ports/event-log.js';
import { comparePositions, nextPosition } from './position.js';

export class PositionedLog<Entry extends { readonly position: string }> {
  #entries: Entry[] = [];
  #last = START;
  #lastDropped = START;

  /** Position of the newest entry, kept or not; {@link START} where there never was one. */
  get last(): string {
    return this.#last;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The newest entry that is kept. */
  get newest(): Entry | undefined {
    return this.#entries.at(-1);
  }

  append(now: number, make: (position: string) => Entry): Entry {
    const entry = make(nextPosition(this.#last, now));
    this.#entries.push(entry);
    this.#last = entry.position;
    return entry;
  }

  /** Keeps the newest `length` entries. */
  trim(length: number): void {
    this.#drop(this.#entries.length - length);
  }

  /** Drops entries from the oldest on, up to the first one that is not over. */
  dropWhile(isOver: (entry: Entry) => boolean): void {
    const firstKept = this.#entries.findIndex((entry) => !isOver(entry));
    this.#drop(firstKept === -1 ? this.#entries.length : firstKept);
  }

  /** Entries after a position; `complete` is false where one after it was dropped. */
  read(after: string, limit: number): { complete: boolean; entries: Entry[] } {
    const from = this.#indexAfter(after);
    return {
      complete: comparePositions(after, this.#lastDropped) >= 0,
      entries: this.#entries.slice(from, from + Math.max(0, limit)),
    };
  }

  #drop(count: number): void {
    if (count <= 0) return;
    this.#lastDropped = this.#entries.splice(0, count).at(-1)?.position ?? this.#lastDropped;
  }

  /** Binary search: a live tail reads near the end of its log at every wake-up. */
  #indexAfter(position: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry && comparePositions(entry.position, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
