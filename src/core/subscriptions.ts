/**
 * The resources that a session is subscribed to, as one of its streams knows them: read from the store, then kept by what
 * the bus tells. Nobody may be told, or not told, of a change before they are known: `ready` fails with the store, and is
 * asked again.
 *
 * The bus promises nothing: word of a subscription can come after word of a change, or never. So each says since when it
 * counts, and those that were learned of late are kept for their stream to look back.
 */
export class Subscriptions {
  readonly #read: () => Promise<ReadonlyMap<string, string>>;
  #uris = new Set<string>();
  #known = false;
  #stale = true;
  /** Heard while they were being read, hence newer than what the reading tells; undefined: unsubscribed. */
  #heard: Map<string, string | undefined> | undefined;
  /** Of those learned of after the first reading: since when. */
  readonly late = new Map<string, string>();

  /** `read`: from the store, each with the position in the log of changes since when it counts (empty: not known). */
  constructor(read: () => Promise<ReadonlyMap<string, string>>) {
    this.#read = read;
  }

  /** Whether they have to be read (again) before they are used. */
  get stale(): boolean {
    return this.#stale;
  }

  has(uri: string): boolean {
    return this.#uris.has(uri);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#uris[Symbol.iterator]();
  }

  /** What the bus told. `since` undefined: the session has unsubscribed. */
  hear(uri: string, since: string | undefined): void {
    this.#heard?.set(uri, since);
    if (since !== undefined) {
      this.#learn(uri, since);
      this.#uris.add(uri);
    } else {
      this.#uris.delete(uri);
      this.late.delete(uri);
    }
  }

  /** What the bus told was not all. */
  forget(): void {
    this.#stale = true;
  }

  /** One at a time. @throws StoreUnavailable: they are not known, and the next call reads again. */
  async ready(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      this.#heard = new Map();
      try {
        const read = await this.#read();
        if (this.#known) for (const [uri, since] of read) this.#learn(uri, since);
        this.#uris = new Set(read.keys());
        for (const uri of this.late.keys()) if (!this.#uris.has(uri)) this.late.delete(uri);
        this.#known = true;
      } catch (error) {
        this.#stale = true;
        this.#heard = undefined;
        throw error;
      }
      const heard = this.#heard;
      this.#heard = undefined;
      for (const [uri, since] of heard) this.hear(uri, since);
    }
  }

  #learn(uri: string, since: string): void {
    if (this.#known && since !== '' && !this.#uris.has(uri)) this.late.set(uri, since);
  }
}
