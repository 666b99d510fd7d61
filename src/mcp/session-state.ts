/** The state of a session as handlers see it. Values are JSON; the store keeps their texts. */
import { type StateLimits, StateTooLarge, stateFault } from '../core/limits/state-size.js';
import type { SessionStore } from '../core/ports/session-store.js';
import { SessionGone, type SessionState } from '../core/server-context.js';

/** `onRefused` is told of what would have made the state too large, before the handler is. */
export function createSessionState(
  sessions: SessionStore,
  sessionId: string,
  onRefused: (of: StateTooLarge['of']) => void,
): SessionState {
  const counted = async <T>(written: Promise<T>): Promise<T> => {
    try {
      return await written;
    } catch (error) {
      if (error instanceof StateTooLarge) onRefused(error.of);
      throw error;
    }
  };
  return {
    async get<T>(key: string) {
      const json = await sessions.getState(sessionId, key);
      return json === undefined ? undefined : (JSON.parse(json) as T);
    },
    async set(key, value) {
      if (!(await counted(sessions.setState(sessionId, key, toJson(value)))))
        throw new SessionGone('the session has ended');
    },
    delete: (key) => sessions.deleteState(sessionId, key),
    async increment(key, by = 1) {
      if (!Number.isFinite(by)) throw new TypeError('only a finite number can be added');
      const value = await counted(sessions.incrementState(sessionId, key, by));
      if (value === undefined) throw new SessionGone('the session has ended');
      return value;
    },
  };
}

/**
 * State of a session that is being opened: a factory may use it before the session exists. What it wrote is stored
 * together with the record; from then on the store answers.
 */
export class OpeningState implements SessionState {
  readonly values = new Map<string, string>();
  readonly #limits: StateLimits;
  readonly #onRefused: (of: StateTooLarge['of']) => void;
  #stored: SessionState | undefined;

  constructor(limits: StateLimits, onRefused: (of: StateTooLarge['of']) => void) {
    this.#limits = limits;
    this.#onRefused = onRefused;
  }

  /** The record exists, and with it what was written so far. */
  settle(stored: SessionState): void {
    this.#stored = stored;
  }

  async get<T>(key: string): Promise<T | undefined> {
    if (this.#stored) return this.#stored.get<T>(key);
    const json = this.values.get(key);
    return json === undefined ? undefined : (JSON.parse(json) as T);
  }

  async set(key: string, value: unknown): Promise<void> {
    if (this.#stored) return this.#stored.set(key, value);
    this.#put(key, toJson(value));
  }

  async delete(key: string): Promise<boolean> {
    return this.#stored ? this.#stored.delete(key) : this.values.delete(key);
  }

  async increment(key: string, by = 1): Promise<number> {
    if (this.#stored) return this.#stored.increment(key, by);
    const value = JSON.parse(this.values.get(key) ?? '0');
    if (typeof value !== 'number') throw new TypeError('the value is not a number');
    this.#put(key, String(value + by));
    return value + by;
  }

  #put(key: string, json: string): void {
    const fault = stateFault(this.values, key, json, this.#limits);
    if (fault) {
      this.#onRefused(fault.of);
      throw fault;
    }
    this.values.set(key, json);
  }
}

function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError('a value of the session state must be JSON');
  return json;
}
