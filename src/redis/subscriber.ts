/**
 * One connection that listens to channels, and follows the topology. A Cluster passes what is published on to all of its
 * servers, so any master will do; another one is taken when that one is none any more.
 */
import type { RedisAddress } from '../core/redis-target.js';
import { createLink, endLink, type Link, type LinkOptions } from './link.js';
import { nameOf, type Topology } from './topology.js';

export interface SubscriberOptions {
  readonly topology: Topology;
  readonly link: LinkOptions;
  readonly channels: readonly string[];
  readonly onMessage: (message: string, channel: string) => void;
  /** The subscription took hold, for the first time or again: what was published in between was not heard. */
  readonly onSubscribed: () => void;
  readonly onError: (error: Error, server: string) => void;
}

/** After a refused subscription: what forbids it is for somebody to mend. */
const RETRY_MS = 1000;

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #forget: () => void;
  #link: Link | undefined;
  #server = '';
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#forget = options.topology.onChange(() => this.#follow());
    options.topology.start();
    this.#follow();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#forget();
    if (this.#link) endLink(this.#link);
  }

  #follow(): void {
    const { masters } = this.#options.topology;
    if (this.#closed || masters.length === 0 || masters.some((address) => nameOf(address) === this.#server)) return;
    this.#listenTo(masters[Math.floor(Math.random() * masters.length)] as RedisAddress);
  }

  #listenTo(address: RedisAddress): void {
    const { topology, link: options, channels, onMessage, onSubscribed, onError } = this.#options;
    clearTimeout(this.#retry);
    if (this.#link) endLink(this.#link);
    const server = nameOf(address);
    const link = createLink(address, options);
    this.#link = link;
    this.#server = server;
    let subscribed = false;
    link.on('error', (error: Error) => {
      topology.refresh();
      onError(error, server);
    });
    // The library subscribes again by itself, before it calls a connection ready.
    link.on('ready', () => subscribed && onSubscribed());
    link
      .connect()
      .then(() => link.subscribe([...channels], onMessage))
      .then(
        () => {
          subscribed = true;
          if (this.#link === link && !this.#closed) onSubscribed();
        },
        (error: Error) => {
          // Given up for another server, or refused by this one.
          if (this.#link !== link || this.#closed) return;
          onError(error, server);
          this.#retry = setTimeout(() => this.#listenTo(address), RETRY_MS);
        },
      );
  }
}
