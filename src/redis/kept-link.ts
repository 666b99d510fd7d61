/**
 * A link that is made again for ever when it is lost: nothing restarts because Redis was away.
 *
 * The library would do so by itself, but the first time at once: a server that takes every connection and closes it (one
 * that speaks TLS only, or has too many clients) would be asked hundreds of times a second.
 */
import type { RedisAddress } from '../core/redis-target.js';
import { createLink, endLink, type Link, type LinkOptions } from './link.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
/** Spreads a fleet. */
const JITTER_MS = 100;
/** Connecting and what is said first, in times of the time for connecting alone. */
const CONNECT_TIMES = 2;
/** A link that was there for less than this was never there. */
const STABLE_MS = 1000;

export interface KeptLinkEvents {
  /** Called after each connection; the link is another one each time. */
  onReady(link: Link): void;
  onError(error: Error): void;
}

export class KeptLink {
  readonly #address: RedisAddress;
  readonly #options: LinkOptions;
  readonly #events: KeptLinkEvents;
  #link: Link;
  #connected: Promise<void>;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(address: RedisAddress, options: LinkOptions, events: KeptLinkEvents) {
    this.#address = address;
    this.#options = options;
    this.#events = events;
    [this.#link, this.#connected] = this.#connect();
  }

  /** Rejects at once while there is no connection. */
  send(args: readonly string[]): Promise<unknown> {
    return this.#link.sendCommand(args);
  }

  /** Resolves when the connection stands that is there or being made; rejects when that failed. */
  get connected(): Promise<void> {
    return this.#connected;
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#retry);
    endLink(this.#link);
  }

  #connect(): [Link, Promise<void>] {
    const link = createLink(this.#address, this.#options);
    let readyAt = Number.POSITIVE_INFINITY;
    let lost = false;
    let silence: NodeJS.Timeout | undefined;
    const lose = (error: Error): void => {
      clearTimeout(silence);
      if (lost || this.#ended) return;
      lost = true;
      endLink(link);
      this.#failures = performance.now() - readyAt > STABLE_MS ? 0 : this.#failures + 1;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10), LONGEST_PAUSE_MS);
      this.#retry = setTimeout(
        () => {
          [this.#link, this.#connected] = this.#connect();
        },
        pause + Math.random() * JITTER_MS,
      );
      this.#events.onError(error);
    };
    // The library's own time ends with the connection; what is said next on it, to a server that is silent, has none.
    silence = setTimeout(
      () => lose(new Error('no answer while connecting')),
      this.#options.connectTimeout * CONNECT_TIMES,
    );
    link.on('error', lose);
    const connected = link.connect().then(() => {
      clearTimeout(silence);
      readyAt = performance.now();
      if (!this.#ended) this.#events.onReady(link);
    });
    connected.catch(lose);
    return [link, connected];
  }
}
