/** What all clients of a run share: where the fleet is, what they have seen, and how long they may go on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../../test/streams/chance.js';
import type { History } from '../history.js';

export class Stage {
  readonly url: string;
  readonly history: History;
  #ops = 0;
  #over = false;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(url: string, history: History) {
    this.url = url;
    this.history = history;
  }

  /** A name for a call that no other one of the run has. */
  newOp(): string {
    this.#ops += 1;
    return `op${this.#ops}`;
  }

  /** Nothing new is begun; what is under way has this long to end. */
  finish(graceMs: number): void {
    this.#over = true;
    this.#deadline = this.history.now + graceMs;
  }

  get over(): boolean {
    return this.#over;
  }

  /** No more waiting for anything. */
  get late(): boolean {
    return this.history.now >= this.#deadline;
  }

  /** Waits as a client does before it tries again; two never wait alike. */
  async patience(chance: Chance, ms = 300): Promise<void> {
    await pause(chance.between(ms / 2, ms * 1.5));
  }
}
