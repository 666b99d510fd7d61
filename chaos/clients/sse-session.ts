/**
 * A session of the HTTP+SSE transport, by hand: one stream for everything, opened again where it was when it breaks.
 *
 * A call is acknowledged by 202, and owed from then on: it is journaled, and its answer comes on that stream, once.
 */

import type { Chance } from '../../test/streams/chance.js';
import { initialize, isResponse, type RpcId, type RpcMessage, request } from '../../test/support/json-rpc.js';
import type { RawResponse } from '../../test/support/raw-http.js';
import type { ToolCall } from './legacy-session.js';
import { messageOf, told } from './reading.js';
import type { Stage } from './stage.js';
import { type Answer, eventsOf, type Wire } from './wire.js';

const REVISION = '2024-11-05';

export class SseSession {
  readonly #wire: Wire;
  readonly #stage: Stage;
  readonly #chance: Chance;
  #id = '';
  #last: string | undefined;
  #stream: RawResponse | undefined;
  #numbers = 0;
  #gone = false;
  readonly #ops = new Map<RpcId, string>();
  readonly #answered = new Map<RpcId, () => void>();

  private constructor(wire: Wire, chance: Chance) {
    this.#wire = wire;
    this.#stage = wire.stage;
    this.#chance = chance;
  }

  get id(): string {
    return this.#id;
  }

  static async open(wire: Wire, chance: Chance): Promise<SseSession | undefined> {
    const session = new SseSession(wire, chance);
    const answer = await wire.ask({ path: '/sse', headers: { Accept: 'text/event-stream' } });
    if (answer.outcome !== 'served') return undefined;
    const endpoint = await answer.response
      .waitForEvent(({ event }) => event === 'endpoint', 'the endpoint')
      .catch(() => undefined);
    session.#id = new URL(endpoint?.data ?? '', 'http://fleet').searchParams.get('sessionId') ?? '';
    if (session.#id === '') {
      answer.response.close();
      return undefined;
    }
    wire.stage.history.add({
      type: 'session',
      session: session.#id,
      user: wire.user,
      client: 'raw sse',
      phase: 'opened',
    });
    void session.#read(answer);
    const opened = new Promise<void>((resolve) => session.#answered.set(0, resolve));
    if (!(await session.#post(initialize(REVISION, { elicitation: {} }, 0)))) return undefined;
    await opened;
    await session.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  /** Drops the connection of the stream; it is opened again at once, probably on another node. */
  drop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.close();
  }

  async call({ tool, repeatable, args = {} }: ToolCall): Promise<void> {
    const { history } = this.#stage;
    const op = this.#stage.newOp();
    this.#numbers += 1;
    const id = this.#numbers;
    this.#ops.set(id, op);
    const user = this.#wire.user;
    history.add({ type: 'call', op, tool, session: this.#id, user, client: 'raw sse', repeatable });
    const answered = new Promise<'answered'>((resolve) => this.#answered.set(id, () => resolve('answered')));
    const params = { name: tool, arguments: { op, ...args }, _meta: { progressToken: id } };
    const posted = await this.#ask(request(id, 'tools/call', params), op);
    if (posted.outcome !== 'served') {
      // 410: the stream was open nowhere at that moment; nothing was taken over.
      history.add({ type: 'done', op, outcome: posted.outcome === 'cut' ? 'unknown' : 'refused' });
      return;
    }
    history.add({ type: 'accepted', op });
    const late = (async () => {
      while (!this.#stage.late && !this.#gone && this.#answered.has(id)) await this.#stage.patience(this.#chance);
      return 'lost' as const;
    })();
    const outcome = await Promise.race([answered, late]);
    history.add({ type: 'done', op, outcome });
  }

  #ask(body: object, op?: string): Promise<Answer> {
    return this.#wire.ask({ method: 'POST', path: `/messages?sessionId=${this.#id}`, body, session: this.#id, op });
  }

  /** For what may come twice. */
  async #post(body: object): Promise<boolean> {
    while (!this.#stage.late) {
      const answer = await this.#ask(body);
      if (answer.outcome === 'served') return true;
      if (answer.outcome === 'refused' && answer.status !== 503 && answer.status !== 410) return false;
      await this.#stage.patience(this.#chance);
    }
    return false;
  }

  async #read(first: Answer): Promise<void> {
    for (let answer = first; ; ) {
      if (answer.outcome === 'served') {
        const { response, connection } = answer;
        this.#stream = response;
        for await (const event of eventsOf(response, this.#stage)) {
          if (this.#stream !== response) break;
          this.#last = event.id ?? this.#last;
          const message = messageOf(event);
          if (message) this.#deliver(message, connection, event.id);
        }
        response.close();
      } else if (answer.outcome === 'refused' && answer.status !== 503) {
        this.#gone = true;
        return;
      }
      if (this.#stage.late) return;
      await this.#stage.patience(this.#chance, 150);
      const resume = this.#last === undefined ? {} : { 'Last-Event-ID': this.#last };
      const headers = { Accept: 'text/event-stream', ...resume };
      answer = await this.#wire.ask({ path: `/sse?sessionId=${this.#id}`, headers, session: this.#id });
    }
  }

  #deliver(message: RpcMessage, connection: string, eventId: string | undefined): void {
    const about = told(message);
    const id = about.what === 'answer' ? message.id : about.what === 'progress' ? message.params?.progressToken : null;
    const op =
      id === 0 || id === null || id === undefined ? undefined : (this.#ops.get(id) ?? `no call of mine: ${id}`);
    const user = this.#wire.user;
    const where = { session: this.#id, user, stream: 'main', connection, eventId };
    if (id !== 0) this.#stage.history.add({ type: 'delivery', ...where, ...about, op });
    if (about.what === 'question') {
      const content = { word: about.claim?.op ?? 'nothing' };
      void this.#post({ jsonrpc: '2.0', id: message.id, result: { action: 'accept', content } });
    }
    if (isResponse(message) && id !== null && id !== undefined) {
      this.#answered.get(id)?.();
      this.#answered.delete(id);
    }
  }
}
