/**
 * The resources that a session is subscribed to, as one of its streams knows them: read from the store, then kept by what
 * the bus tells. Nobody may be told, or not told, of a change before they are known: `ready` fails with the store, and is
 * asked again.
 */
export class Subscriptions {
  readonly #read: () => Promise<readonly string[]>;
  #uris = new Set<string>();
  #stale = true;
  /** Heard while they were being read, hence newer than what the reading tells. */
  #heard: Map<string, boolean> | undefined;

  constructor(read: () => Promise<readonly string[]>) {
    this.#read = read;
  }

  has(uri: string): boolean {
    return this.#uris.has(uri);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#uris[Symbol.iterator]();
  }

  set(uri: string, active: boolean): void {
    this.#heard?.set(uri, active);
    if (active) this.#uris.add(uri);
    else this.#uris.delete(uri);
  }

  /** What the bus told was not all: they are read anew before they are used again. */
  forget(): void {
    this.#stale = true;
  }

  /** One at a time. @throws StoreUnavailable: they are not known, and the next call reads again. */
  async ready(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      this.#heard = new Map();
      try {
        this.#uris = new Set(await this.#read());
      } catch (error) {
        this.#stale = true;
        this.#heard = undefined;
        throw error;
      }
      const heard = this.#heard;
      this.#heard = undefined;
      for (const [uri, active] of heard) this.set(uri, active);
    }
  }
}
