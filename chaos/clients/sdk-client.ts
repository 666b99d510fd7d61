/**
 * The official clients, as they come: they resume, or do not, as their makers decided. What they give to their user is
 * what is written down; an error of theirs is an unknown outcome, since they hide what they were told.
 */
import {
  type AnyClient,
  type ClientKind,
  v1Sse,
  v1Streamable,
  v2Legacy,
  v2Modern,
} from '../../test/support/clients.js';
import { tokenOf } from '../world.js';
import type { ToolCall } from './legacy-session.js';
import { claimIn } from './reading.js';
import type { Stage } from './stage.js';

export const SDK_KINDS: readonly ClientKind[] = [v1Streamable, v1Sse, v2Legacy, v2Modern];

/** What is seen on the way through: the SDKs do not tell it. */
interface Seen {
  /** How often the stream of HTTP+SSE was opened. */
  sseStreams: number;
}

function watchedFetch(stage: Stage, user: string, seen: Seen): typeof fetch {
  return async (input, init) => {
    const since = stage.history.now;
    if (new URL(String(input)).pathname === '/sse') seen.sseStreams += 1;
    const headers = new Headers(init?.headers);
    headers.set('Authorization', `Bearer ${tokenOf(user)}`);
    const response = await fetch(input, { ...init, headers });
    const { status } = response;
    // 405 is how a server says that it has no such stream; 502 is the balancer's.
    if (status >= 400 && status !== 502 && status !== 405) {
      const session = headers.get('mcp-session-id') ?? undefined;
      const route = `${init?.method ?? 'GET'} ${new URL(String(input)).pathname}`;
      const message = await response
        .clone()
        .text()
        .catch(() => '');
      stage.history.add({ type: 'refused', status, route, session, since, message: message.slice(0, 300) });
    }
    return response;
  };
}

export class SdkClient {
  readonly #stage: Stage;
  readonly #user: string;
  readonly #kind: ClientKind;
  readonly #client: AnyClient;
  readonly #seen: Seen;

  private constructor(stage: Stage, user: string, kind: ClientKind, client: AnyClient, seen: Seen) {
    this.#seen = seen;
    this.#stage = stage;
    this.#user = user;
    this.#kind = kind;
    this.#client = client;
  }

  static async connect(kind: ClientKind, stage: Stage, user: string): Promise<SdkClient | undefined> {
    const { history } = stage;
    let session: string | undefined;
    const seen: Seen = { sseStreams: 0 };
    try {
      const client = await kind.connect(
        stage.url,
        {
          async elicit(message) {
            const claim = claimIn(message);
            const where = { session, user, stream: 'main', connection: kind.label };
            history.add({ type: 'delivery', ...where, what: 'question', claim });
            return { action: 'accept', content: { word: claim?.op ?? 'nothing' } };
          },
        },
        { fetch: watchedFetch(stage, user, seen) },
      );
      // The HTTP+SSE transport does not tell its session; what is said to it names it anyway.
      session = client.sessionId;
      if (session !== undefined) history.add({ type: 'session', session, user, client: kind.label, phase: 'opened' });
      return new SdkClient(stage, user, kind, client, seen);
    } catch {
      return undefined;
    }
  }

  /**
   * Over HTTP+SSE the first SDK line opens a broken stream again by itself, at the address without a session and without the
   * last event id: from then on it speaks to another session, which was never initialized. What it is told there proves nothing.
   */
  get hasItsSession(): boolean {
    return this.#seen.sseStreams <= 1;
  }

  async call({ tool, repeatable, args = {} }: ToolCall): Promise<void> {
    const { history } = this.#stage;
    const op = this.#stage.newOp();
    const session = this.#client.sessionId;
    const user = this.#user;
    const client = this.#kind.label;
    history.add({ type: 'call', op, tool, session, user, client, repeatable });
    const where = { session, user, stream: op, connection: client };
    const onProgress = (number: number): void =>
      history.add({ type: 'delivery', ...where, what: 'progress', op, number });
    try {
      const { text, isError } = await this.#client.callTool(tool, { op, ...args }, { onProgress });
      const said = isError ? { error: { code: 0, message: text, retryable: false } } : { claim: claimIn(text) };
      history.add({ type: 'delivery', ...where, what: 'answer', op, ...said });
      history.add({ type: 'done', op, outcome: 'answered' });
    } catch (error) {
      const { code, message, data } = error as { code?: unknown; message: string; data?: { retryable?: unknown } };
      // A JSON-RPC error of the server is an answer; -32000 and -32001 are the SDKs' own words for connections and time.
      if (typeof code === 'number' && code <= -32002) {
        const retryable = data?.retryable === true;
        history.add({ type: 'delivery', ...where, what: 'answer', op, error: { code, message, retryable } });
        history.add({ type: 'done', op, outcome: 'answered' });
      } else history.add({ type: 'done', op, outcome: 'unknown' });
    }
  }

  async close(): Promise<void> {
    await this.#client.close().catch(() => undefined);
  }
}
