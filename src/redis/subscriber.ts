/**
 * One connection that listens to channels, and follows the topology. A Cluster passes what is published on to all of its
 * servers, so any master will do; another one is taken when that one is none any more.
 */
import type { RedisAddress } from '../core/redis-target.js';
import { KeptLink } from './kept-link.js';
import type { Link, LinkOptions } from './link.js';
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
  #link: KeptLink | undefined;
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
    this.#link?.end();
  }

  /** Gives the connection up and listens on another one: a socket without a peer never errs by itself. */
  renew(): void {
    this.#server = '';
    this.#follow();
  }

  #follow(): void {
    const { masters } = this.#options.topology;
    if (this.#closed || masters.length === 0 || masters.some((address) => nameOf(address) === this.#server)) return;
    this.#listenTo(masters[Math.floor(Math.random() * masters.length)] as RedisAddress);
  }

  #listenTo(address: RedisAddress): void {
    const { topology, link, onError } = this.#options;
    clearTimeout(this.#retry);
    this.#link?.end();
    this.#server = nameOf(address);
    this.#link = new KeptLink(address, link, {
      onReady: (ready) => this.#subscribe(address, ready),
      onError: (error) => {
        topology.refresh();
        onError(error, nameOf(address));
      },
    });
  }

  #subscribe(address: RedisAddress, link: Link): void {
    const { channels, onMessage, onSubscribed, onError } = this.#options;
    const kept = this.#link;
    link.subscribe([...channels], onMessage).then(
      () => this.#link === kept && !this.#closed && onSubscribed(),
      (error: Error) => {
        // Lost again, given up for another server, or refused by this one.
        if (this.#link !== kept || this.#closed || !link.isReady) return;
        onError(error, nameOf(address));
        this.#retry = setTimeout(() => this.#listenTo(address), RETRY_MS);
      },
    );
  }
}
