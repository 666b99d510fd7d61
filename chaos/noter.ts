/**
 * A webhook: numbered messages to sessions, from a process that serves nobody. What it was told is stored is owed to the
 * session; after an error it goes on with the next number and does not know about that one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from './clients/stage.js';
import type { World } from './world.js';

const INTERVAL_MS = 350;

export class Noter {
  readonly #world: World;
  readonly #stage: Stage;
  readonly #numbers = new Map<string, number>();
  readonly #lanes: Promise<void>[] = [];

  constructor(world: World, stage: Stage) {
    this.#world = world;
    this.#stage = stage;
  }

  /** One message after the other: the order in which they are stored is that of their numbers. */
  add(session: string): void {
    this.#numbers.set(session, 0);
    this.#lanes.push(
      (async () => {
        while (!this.#stage.over) {
          await this.#send(session);
          await pause(INTERVAL_MS);
        }
      })(),
    );
  }

  /** The number of the newest note to each session. */
  get newest(): Map<string, number> {
    return new Map(this.#numbers);
  }

  /** A last one for each, when every fault is over: who has it, has all before it. */
  async conclude(): Promise<void> {
    await Promise.all(this.#lanes);
    await Promise.all([...this.#numbers.keys()].map((session) => this.#send(session)));
  }

  async #send(session: string): Promise<void> {
    const number = (this.#numbers.get(session) ?? 0) + 1;
    this.#numbers.set(session, number);
    const { history } = this.#stage;
    const note = { type: 'note', session, number } as const;
    history.add({ ...note, phase: 'sent' });
    try {
      const params = { level: 'emergency', data: { number, session } };
      await this.#world.worker?.session(session).notify('notifications/message', params);
      history.add({ ...note, phase: 'stored' });
    } catch {
      history.add({ ...note, phase: 'unknown' });
    }
  }
}
