/**
 * A call as its client knows it: one request, any number of connections, and the events of all of them in the order in
 * which they came. It is dropped and resumed when the test says so; nothing is retried.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { RpcMessage } from '../support/json-rpc.js';
import type { RawSession } from '../support/raw-client.js';
import { Follower, type Received } from './follower.js';

export class ResumingCall {
  readonly requestId = randomUUID();
  readonly session: RawSession;
  readonly events: Received[] = [];
  readonly #onReceived = (received: Received): void => {
    this.events.push(received);
    this.onReceived?.();
  };
  onReceived: (() => void) | undefined;
  #connection: Follower | undefined;

  constructor(session: RawSession) {
    this.session = session;
  }

  /** Resolves when the head of the answer is there, which is then a stream. */
  async start(nodeUrl: string, name: string, args: object): Promise<void> {
    this.#connection = await Follower.call(this.session, nodeUrl, { name, args, id: this.requestId }, this.#onReceived);
    expect(this.#connection.status, `status of ${name}`).to.equal(200);
  }

  get connection(): Follower {
    if (!this.#connection) throw new Error('the call was not started');
    return this.#connection;
  }

  drop(): void {
    this.connection.close();
  }

  async resume(nodeUrl: string): Promise<void> {
    const lastEventId = this.events.findLast(({ id }) => id !== undefined)?.id;
    if (lastEventId === undefined) throw new Error('nothing came that could be resumed');
    this.#connection = await Follower.get(this.session, nodeUrl, { lastEventId, onReceived: this.#onReceived });
    expect(this.#connection.status, 'status of the resumption').to.equal(200);
  }

  /** Resolves when this many events have come over all connections, or the answer before. */
  reaches(count: number): Promise<void> {
    const check = (): boolean => this.events.length >= count || this.answers.length > 0;
    return this.connection.until(check, `${count} events`);
  }

  async answer(deadlineMs?: number): Promise<RpcMessage> {
    await this.connection.until(() => this.answers.length > 0, 'the answer', deadlineMs);
    return this.answers[0] as RpcMessage;
  }

  get answers(): RpcMessage[] {
    return this.messages.filter(({ id, method }) => id === this.requestId && method === undefined);
  }

  get messages(): RpcMessage[] {
    return this.events.flatMap(({ message }) => message ?? []);
  }

  get progress(): number[] {
    return progressOf(this.messages, this.requestId);
  }

  /** Nothing came twice, and the history has no hole. */
  expectNoRepetition(): void {
    const ids = this.events.flatMap(({ id }) => id ?? []);
    expect(ids, 'event ids').to.deep.equal([...new Set(ids)]);
    expect(this.events.filter(({ event }) => event === 'history_lost')).to.deep.equal([]);
  }
}

export function progressOf(messages: readonly RpcMessage[], token: unknown): number[] {
  return messages
    .filter(({ method, params }) => method === 'notifications/progress' && params.progressToken === token)
    .map(({ params }) => params.progress);
}

export function expectGrowing(progress: readonly number[]): void {
  progress.forEach((value, i) => {
    expect(value, `progress ${progress}`).to.be.greaterThan(progress[i - 1] ?? Number.NEGATIVE_INFINITY);
  });
}
