/**
 * A kept-alive HTTP/1.1 connection that costs the load generator little: requests are bytes that were made before, and
 * of an answer only the status, its end and its text are looked for. One request at a time.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** Head and body, chunk sizes included. */
  readonly text: string;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  /** Called with all that has come so far, each time that more has. */
  readonly onText: ((text: string) => void) | undefined;
}

export class Connection {
  readonly #socket: Socket;
  #text = '';
  #waiting: Waiting | undefined;
  #bodyStart = 0;
  /** Bytes of the body; -1: in chunks. */
  #length = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  request(bytes: string, onText?: (text: string) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting) throw new Error('one request at a time');
      this.#waiting = { resolve, reject, onText };
      this.#text = '';
      this.#bodyStart = 0;
      this.#socket.write(bytes, 'latin1');
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    if (!this.#waiting) return;
    if (this.#bodyStart === 0) {
      const end = this.#text.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.#bodyStart = end + 4;
      const head = this.#text.slice(0, end);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      this.#length = length === undefined ? (/\r\ntransfer-encoding: *chunked/i.test(head) ? -1 : 0) : Number(length);
    }
    this.#waiting.onText?.(this.#text);
    const over =
      this.#length === -1
        ? this.#text.endsWith('\r\n0\r\n\r\n') || this.#text.startsWith('0\r\n\r\n', this.#bodyStart)
        : this.#text.length - this.#bodyStart >= this.#length;
    if (!over) return;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve({ status: Number(this.#text.slice(9, 12)), text: this.#text });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
