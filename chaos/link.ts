/**
 * A link between two parties: a TCP proxy that can be cut, silenced, slowed, and made to lose published messages.
 *
 * Nodes reach Redis, and clients reach nodes, through links of their own, so a fault strikes one pair and no other.
 * A silent link keeps its connections and lets no byte through, as a network does that drops packets: neither side is
 * told. Bytes held back are not lost unless the link is cut.
 */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { PublishedFilter } from './published-filter.js';

export interface LinkTarget {
  readonly port: number;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export class Link {
  /** May be moved to another port at any time; connections that stand stay where they are. */
  target: LinkTarget;
  /** Share of published messages that are dropped on the way back. */
  lossOfPublished = 0;
  delayMs = 0;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #chance: () => number;
  #silent = false;
  #refusing = false;

  private constructor(server: Server, target: LinkTarget, chance: () => number) {
    this.#server = server;
    this.target = target;
    this.#chance = chance;
    server.on('connection', (near) => this.#connect(near));
  }

  static async open(target: LinkTarget, chance: () => number): Promise<Link> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Link(server, target, chance);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection; new ones are taken. */
  cut(share = 1): number {
    let broken = 0;
    for (const pair of [...this.#pairs]) {
      if (this.#chance() >= share) continue;
      broken += 1;
      this.#break(pair);
    }
    return broken;
  }

  silence(): void {
    this.#silent = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** Every new connection breaks at once, as where nobody listens. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Ends every fault. What was held back flows again. */
  heal(): void {
    this.#silent = false;
    this.#refusing = false;
    this.delayMs = 0;
    this.lossOfPublished = 0;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  close(): void {
    this.refuse();
    this.#server.close();
  }

  #break({ near, far }: Pair): void {
    near.resetAndDestroy();
    far.destroy();
  }

  #connect(near: Socket): void {
    near.on('error', () => {});
    if (this.#refusing) {
      near.resetAndDestroy();
      return;
    }
    const far = createConnection({ port: this.target.port, host: '127.0.0.1' });
    const pair = { near, far };
    this.#pairs.add(pair);
    far.on('error', () => {});
    near.setNoDelay(true);
    far.setNoDelay(true);
    const filter = new PublishedFilter(() => this.#chance() < this.lossOfPublished);
    this.#carry(near, far, (chunk) => chunk);
    this.#carry(far, near, (chunk) => filter.pass(chunk));
    const over = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.once('close', over);
    far.once('close', over);
    if (this.#silent) {
      near.pause();
      far.pause();
    }
  }

  #carry(from: Socket, to: Socket, filter: (chunk: Buffer) => Buffer): void {
    let last = Promise.resolve();
    let slow = 0;
    const write = (chunk: Buffer): void => {
      if (to.destroyed || chunk.length === 0) return;
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => {
          if (!this.#silent) from.resume();
        });
      }
    };
    from.on('data', (raw: Buffer) => {
      const chunk = filter(raw);
      if (this.delayMs === 0 && slow === 0) return write(chunk);
      // In order also when the delay is taken away in between.
      slow += 1;
      const wait = new Promise<void>((resolve) => setTimeout(resolve, this.delayMs));
      last = Promise.all([last, wait]).then(() => {
        slow -= 1;
        write(chunk);
      });
    });
    from.on('end', () => void last.then(() => to.end()));
  }
}
