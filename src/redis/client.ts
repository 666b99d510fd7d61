/**
 * Commands to the servers that have their keys: a single server, the master of a Sentinel set or the masters of a Cluster
 * behind the same few calls. One connection for each master; in a Cluster a key that moves is followed.
 *
 * The library's own Sentinel and Cluster clients are not used. They follow a fail-over only when a server that is still
 * there tells them to, each connection for itself; here the whole node follows one topology.
 *
 * Not here: deadlines and the breaker (connection.ts), key names (keys.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorReply } from 'redis';
import type { RedisAddress } from '../core/redis-target.js';
import { KeptLink } from './kept-link.js';
import type { LinkOptions } from './link.js';
import { nameOf, type Topology } from './topology.js';

export interface ClientEvents {
  /** A connection is usable; called again after each reconnection. */
  onReady?(): void;
  onError(error: Error, server: string): void;
}

export interface ClientOptions extends ClientEvents {
  readonly topology: Topology;
  readonly link: LinkOptions;
  /** Whether all masters are connected to from the start, and not when they are first needed. */
  readonly eager: boolean;
}

/** One server that takes writes. */
export interface Server {
  readonly name: string;
  readonly address: RedisAddress;
  send(args: readonly string[]): Promise<unknown>;
}

/** A command that was sent elsewhere this often has met a Cluster that does not know itself what it wants. */
const MAX_REDIRECTIONS = 5;
/** Keys of a slot that is being moved are on two servers for a moment; less in all than a command is waited for. */
const TRY_AGAIN_MS = 25;
const MAX_TRIES_AGAIN = 12;

export class RedisClient {
  readonly #options: ClientOptions;
  readonly #links = new Map<string, KeptLink>();
  /** The last link that was asked for: of a single server always the same, found without a look at its name. */
  #last: { readonly address: RedisAddress; readonly link: KeptLink } | undefined;
  readonly #forget: () => void;
  #closed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#forget = options.topology.onChange(() => this.#follow());
    options.topology.start();
    this.#follow();
  }

  /** Every server that takes writes, connected or not; empty while none is known. */
  get servers(): readonly Server[] {
    return this.#options.topology.masters.map((address) => ({
      name: nameOf(address),
      address,
      send: (args) => this.#linkTo(address).send(args),
    }));
  }

  /** Sends one command to the server that has `key`. Rejects at once while there is no connection to it. */
  send(key: string, args: readonly string[]): Promise<unknown> {
    const { topology } = this.#options;
    const owner = topology.ownerOf(key);
    if (owner === undefined || this.#closed) {
      topology.refresh();
      return Promise.reject(new Error('no server is known that has the key'));
    }
    return this.#linkTo(owner)
      .send(args)
      .catch((error: unknown) => {
        const redirection = Redirection.of(error, owner);
        if (redirection === undefined) throw error;
        return this.#redirected(key, args, redirection);
      });
  }

  /** Gives every connection up and makes new ones: a socket without a peer never errs by itself. */
  reconnect(): void {
    for (const name of [...this.#links.keys()]) this.#drop(name);
    this.#follow();
  }

  destroy(): void {
    this.#closed = true;
    this.#forget();
    for (const name of [...this.#links.keys()]) this.#drop(name);
  }

  async #redirected(key: string, args: readonly string[], first: Redirection): Promise<unknown> {
    const { topology } = this.#options;
    let { kind, to } = first;
    let asking = false;
    for (let redirections = 1, tries = 0; ; ) {
      if (kind === 'TRYAGAIN') await sleep(TRY_AGAIN_MS);
      else asking = kind === 'ASK';
      if (kind === 'MOVED') topology.moved(key, to);
      if (this.#closed) throw new Error('closed');
      const link = this.#linkTo(to);
      await link.connected;
      try {
        // One after the other on the same connection, with nothing in between: ASKING is for the next command only.
        const leave = asking ? link.send(['ASKING']) : undefined;
        const [reply] = await Promise.all([link.send(args), leave]);
        return reply;
      } catch (error) {
        const next = Redirection.of(error, to);
        if (next === undefined) throw error;
        if (next.kind === 'TRYAGAIN') tries += 1;
        else redirections += 1;
        if (redirections > MAX_REDIRECTIONS || tries > MAX_TRIES_AGAIN) throw error;
        ({ kind, to } = next);
      }
    }
  }

  #follow(): void {
    if (this.#closed) return;
    const { topology, eager } = this.#options;
    const wanted = new Set(topology.masters.map(nameOf));
    for (const name of [...this.#links.keys()]) if (!wanted.has(name)) this.#drop(name);
    if (eager) for (const address of topology.masters) this.#linkTo(address);
  }

  #drop(name: string): void {
    this.#links.get(name)?.end();
    this.#links.delete(name);
    this.#last = undefined;
  }

  #linkTo(address: RedisAddress): KeptLink {
    if (this.#last?.address === address) return this.#last.link;
    const link = this.#linkNamed(address);
    this.#last = { address, link };
    return link;
  }

  #linkNamed(address: RedisAddress): KeptLink {
    const name = nameOf(address);
    const known = this.#links.get(name);
    if (known) return known;
    const { onReady, onError, topology, link: options } = this.#options;
    const link = new KeptLink(address, options, {
      onReady: () => onReady?.(),
      onError: (error) => {
        // A server that is gone is perhaps no master any more.
        topology.refresh();
        onError(error, name);
      },
    });
    this.#links.set(name, link);
    return link;
  }
}

interface Redirection {
  readonly kind: 'MOVED' | 'ASK' | 'TRYAGAIN';
  readonly to: RedisAddress;
}

const Redirection = {
  /** `MOVED <slot> <host>:<port>`; an empty host is that of the server which says so. */
  of(error: unknown, said: RedisAddress): Redirection | undefined {
    if (!(error instanceof ErrorReply)) return undefined;
    if (error.message.startsWith('TRYAGAIN')) return { kind: 'TRYAGAIN', to: said };
    const match = /^(MOVED|ASK) \d+ (\S*):(\d+)/.exec(error.message);
    if (match === null) return undefined;
    const [, kind, host, port] = match;
    return { kind: kind as 'MOVED' | 'ASK', to: { host: host || said.host, port: Number(port) } };
  },
};
