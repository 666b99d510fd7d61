/**
 * HTTP as the clients of a run use it: every request on a connection of its own through the balancer, whatever is not a
 * success written down with when it was asked for.
 *
 * Not here: retries, which each client decides on by what may have happened already.
 */
import { randomUUID } from 'node:crypto';
import { type RawResponse, send } from '../../test/support/raw-http.js';
import type { SseEvent } from '../../test/support/sse.js';
import { tokenOf } from '../world.js';
import type { Stage } from './stage.js';

/** Given by the balancer alone: no node took the connection, or the one that did went away. Nobody's answer. */
const NO_REPLICA = 502;

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly session?: string | undefined;
  readonly op?: string | undefined;
}

export type Answer =
  | { readonly outcome: 'served'; readonly response: RawResponse; readonly connection: string }
  /** Broken before the head of an answer came: what happened is not known. */
  | { readonly outcome: 'cut' }
  | { readonly outcome: 'refused'; readonly status: number };

export class Wire {
  readonly stage: Stage;
  readonly user: string;

  constructor(stage: Stage, user: string) {
    this.stage = stage;
    this.user = user;
  }

  async ask({ method = 'GET', path, headers = {}, body, session, op }: Asking): Promise<Answer> {
    const { history, url } = this.stage;
    const since = history.now;
    const route = `${method} ${path.split('?')[0]}`;
    let response: RawResponse;
    try {
      response = await send(`${url}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${tokenOf(this.user)}`,
          ...(body && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
      });
    } catch {
      return { outcome: 'cut' };
    }
    const { status } = response;
    if (status >= 200 && status < 300) {
      if (session !== undefined) history.add({ type: 'served', session, route, since });
      return { outcome: 'served', response, connection: randomUUID().slice(0, 8) };
    }
    if (status === NO_REPLICA) {
      response.close();
      return { outcome: 'cut' };
    }
    const message = (await response.text().catch(() => '')).slice(0, 300);
    history.add({ type: 'refused', status, route, session, since, op, message });
    return { outcome: 'refused', status };
  }
}

/** The events of a response as they come; ends when the response does, in order or not, or when nobody waits any more. */
export async function* eventsOf(response: RawResponse, stage: Stage): AsyncGenerator<SseEvent> {
  for (let next = 0; ; next += 1) {
    while (response.events.length <= next) {
      if (response.isOver || stage.late) return;
      await response.waitForEvent(() => response.events.length > next, 'the next event', 1000).catch(() => undefined);
    }
    yield response.events[next] as SseEvent;
  }
}
