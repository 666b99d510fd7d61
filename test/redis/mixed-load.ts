/** Requests of all kinds through the balancer, for as long as a test needs them, and what became of each. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, notification, type RpcMessage, request, textOf } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';

const SESSIONS = 12;
/** Neither idle nor a test of speed. */
const PAUSE_MS = 15;

export interface Outcome {
  readonly what: string;
  readonly status: number;
  readonly message: RpcMessage | undefined;
  readonly tookMs: number;
  readonly endedAt: number;
}

export class MixedLoad {
  readonly outcomes: Outcome[] = [];
  readonly sessions: readonly RawSession[];
  readonly #fleet: Fleet;
  readonly #workers: Promise<void>[];
  #over = false;

  private constructor(fleet: Fleet, sessions: readonly RawSession[]) {
    this.#fleet = fleet;
    this.sessions = sessions;
    this.#workers = sessions.map((session, i) => this.#work(session, i));
  }

  static async start(fleet: Fleet): Promise<MixedLoad> {
    return new MixedLoad(fleet, await Promise.all(Array.from({ length: SESSIONS }, () => RawSession.open(fleet))));
  }

  /** Resolves when each worker has come to the end of what it had begun. */
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#workers);
  }

  async #work(session: RawSession, first: number): Promise<void> {
    const call = (name: string, args: object) => session.post(request('load', 'tools/call', { name, arguments: args }));
    const kinds = {
      ping: () => session.post(request('load', 'ping')),
      self: () => call('self', {}),
      add: () => call('add', { key: 'load' }),
      stream: () => call('report', { steps: 3 }),
      slow: () => call('pause', { ms: 250 }),
      change: () => call('touch', { uri: 'test://load' }),
      notification: () => session.post(notification('notifications/roots/list_changed')),
      initialize: () => postMcp(this.#fleet, initialize(NEWEST_REVISION)),
    };
    const all = Object.entries(kinds);
    for (let i = first; !this.#over; i += 1) {
      const [what, ask] = all[i % all.length] as (typeof all)[number];
      const startedAt = performance.now();
      const response = await ask();
      const text = await response.text();
      const message = response.isStream ? response.messages.at(-1) : text === '' ? undefined : JSON.parse(text);
      const endedAt = performance.now();
      this.outcomes.push({ what, status: response.status, message, tookMs: endedAt - startedAt, endedAt });
      await pause(PAUSE_MS);
    }
  }
}

/** What no client may ever see, whatever happens to the store: in words, for the report of the failure. */
export function faultsIn(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ what, status, message }) => {
    const shown = `${what}: ${status} ${JSON.stringify(message)}`;
    if (status === 503) return message?.error ? [] : [shown];
    if (status === 202) return [];
    if (status !== 200 || message === undefined) return [shown];
    // A handler that itself asks the store may fail with it; it says so, and does not say that something was not found.
    if (message.result?.isError === true)
      return /out of reach|answer in time|cannot serve/.test(textOf(message)) ? [] : [shown];
    return message.error && message.error.code !== -32603 ? [shown] : [];
  });
}
