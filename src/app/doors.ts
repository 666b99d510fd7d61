/**
 * The listeners of a node, and how they are left without cutting off anybody who is on the way in.
 *
 * Closing them as Node's HTTP server does it would cut connections that were accepted a moment ago and have not said
 * anything yet: to it they look idle. Not here: what is served.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { Roster } from '../core/roster.js';
import { faults } from '../http/faults.js';
import { sendFault } from '../http/reply.js';
import { whenOver } from '../http/when-over.js';
import { listen } from './listen.js';

/** A turn of the event loop that took no longer had hardly anything to do: what it has seen is still so. */
const QUIET_TURN_MS = 0.05;
/** How long such a turn is waited for; a process that has none takes any that has found the queue empty. */
const QUIET_WITHIN_MS = 500;
/** Connections that never stop coming are stopped. */
const SHUT_WITHIN_MS = 5000;
/** How long a connection that was accepted at the last moment has to say what it wants. */
const FIRST_WORD_MS = 1000;
const LOOK_MS = 20;

export interface Door {
  readonly serve: (req: IncomingMessage, res: ServerResponse) => void;
  readonly port: number;
  readonly host: string;
  readonly times: ServerOptions;
  /** Called when a request did not arrive in time. */
  readonly onLate?: () => void;
}

export class Doors {
  readonly #servers: Server[] = [];
  /** Responses that are not over. */
  readonly #answering = new Roster<ServerResponse>();
  /** Connections that have not asked for anything yet. */
  readonly #unheard = new Set<Socket>();
  #connections = 0;
  /** Connections taken so far. */
  #taken = 0;
  #leaving = false;
  #shutAt = 0;
  #shut: Promise<unknown> | undefined;

  /** Connections that are open. */
  get connections(): number {
    return this.#connections;
  }

  /** @throws the listener's error, such as a port that is taken. */
  async open({ serve, port, host, times, onLate }: Door): Promise<AddressInfo> {
    const server = createServer(times, (req, res) => {
      this.#unheard.delete(req.socket);
      const place = this.#answering.add(res);
      whenOver(res, () => this.#answering.remove(place));
      if (this.#leaving) res.setHeader('Connection', 'close');
      serve(req, res);
    });
    server.on('connection', (socket: Socket) => {
      this.#taken += 1;
      this.#connections += 1;
      this.#unheard.add(socket);
      socket.once('close', () => {
        this.#connections -= 1;
        this.#unheard.delete(socket);
      });
    });
    const address = await listen(server, port, host, onLate);
    this.#servers.push(server);
    return address;
  }

  /** From now on every answer ends its connection, also those to requests that are being served. */
  announceLeaving(): void {
    this.#leaving = true;
    for (const res of this.#answering.items()) if (!res.headersSent) res.setHeader('Connection', 'close');
  }

  /**
   * Takes no more connections; those that are open stay so. What waits in the queue of the kernel at that moment is
   * reset, so it is done right after a turn that has found it empty (a turn takes one connection out of it): where nobody
   * looks at readiness, as behind a plain nginx, connections come until the last moment. What is left, some 0.05 ms, TCP
   * does not let us close: a queue that is filled up first loses what was shaking hands.
   */
  async shut(): Promise<void> {
    await rehearse();
    const since = performance.now();
    for (let empty = false; !empty; ) {
      const [began, taken] = [performance.now(), this.#taken];
      await new Promise(setImmediate);
      const now = performance.now();
      const short = now - began <= QUIET_TURN_MS || now - since > QUIET_WITHIN_MS;
      empty = (this.#taken === taken && short) || now - since > SHUT_WITHIN_MS;
    }
    this.#shut = Promise.all(this.#servers.map(closeListener));
    this.#shutAt = Date.now();
  }

  /** Whether nobody waits for an answer, nor is likely to ask for one. */
  get quiet(): boolean {
    const mayBeAsked = this.#unheard.size > 0 && Date.now() - this.#shutAt < FIRST_WORD_MS;
    return this.#answering.size === 0 && !mayBeAsked;
  }

  /** Waits for the last answers to be written, but no longer than this. */
  async untilQuiet(patienceMs: number): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!this.quiet && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** Whoever is still waiting is told to ask elsewhere; then every connection ends. */
  async close(): Promise<void> {
    for (const res of this.#answering.items()) sendFault(res, null, faults.leaving());
    // The words have to leave before their connections do.
    await new Promise(setImmediate);
    for (const server of this.#servers) server.closeAllConnections();
    await this.#shut;
  }
}

/** Of the listener alone; HTTP's own `close` ends connections, too. */
function closeListener(server: NetServer): Promise<void> {
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()));
}

/**
 * Closes a listener that nobody knows. The first time takes about 0.15 ms, since its code is compiled then, and as long
 * connections could still come; the second takes a third of that.
 */
async function rehearse(): Promise<void> {
  const server = new NetServer();
  await new Promise<void>((resolve) => {
    // Without a port to spare, there is nothing to learn from.
    server.once('error', () => resolve());
    server.listen(0, '127.0.0.1', resolve);
  });
  await closeListener(server);
}
