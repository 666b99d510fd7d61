/**
 * The rhythm of looking at a topology: by itself now and then, and soon when somebody asks for it; never twice at a time.
 * And the list of those who want to know what came of it.
 */

/** What is wrong for longer than a moment is looked at as often as the breaker probes. */
const SOON_MS = 200;

export class Outlook {
  readonly #look: () => Promise<void>;
  readonly #everyMs: number;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #lastLook = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** `look` never rejects. */
  constructor(look: () => Promise<void>, everyMs: number) {
    this.#look = look;
    this.#everyMs = everyMs;
  }

  start(): void {
    if (this.#timer === undefined && !this.#looking) this.#schedule(0);
  }

  refresh(): void {
    // Asked while looking: what is being answered may be older than the reason to ask.
    if (this.#looking) this.#again = true;
    else this.#schedule(Math.max(0, this.#lastLook + SOON_MS - performance.now()));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#turn(), ms);
    this.#timer.unref();
  }

  async #turn(): Promise<void> {
    this.#looking = true;
    this.#again = false;
    await this.#look();
    this.#lastLook = performance.now();
    this.#looking = false;
    this.#schedule(this.#again ? SOON_MS : this.#everyMs);
  }
}
