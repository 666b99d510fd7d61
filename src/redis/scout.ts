/** Questions to servers about where others are: one kept connection for each server that was ever asked. */
import type { RedisAddress } from '../core/redis-target.js';
import { createLink, endLink, type Link, type LinkOptions } from './link.js';
import { nameOf } from './topology.js';

export class Scout {
  readonly #options: LinkOptions;
  readonly #deadlineMs: number;
  readonly #links = new Map<string, Promise<Link>>();
  #closed = false;

  constructor(options: LinkOptions, deadlineMs: number) {
    this.#options = options;
    this.#deadlineMs = deadlineMs;
  }

  /** Rejects when there is no answer in time; the next question then has a connection of its own. */
  async ask(address: RedisAddress, args: readonly string[]): Promise<unknown> {
    const name = nameOf(address);
    const link = this.#links.get(name) ?? this.#connect(address);
    this.#links.set(name, link);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer from ${name}`)), this.#deadlineMs);
    });
    try {
      return await Promise.race([link.then((connected) => connected.sendCommand(args)), late]);
    } catch (error) {
      if (this.#links.get(name) === link) this.#links.delete(name);
      link.then(endLink, () => undefined);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.then(endLink, () => undefined);
    this.#links.clear();
  }

  async #connect(address: RedisAddress): Promise<Link> {
    const link = createLink(address, this.#options);
    // What is wrong comes out of `connect` and of the commands.
    link.on('error', () => undefined);
    try {
      await link.connect();
    } catch (error) {
      endLink(link);
      throw error;
    }
    if (this.#closed) endLink(link);
    return link;
  }
}
