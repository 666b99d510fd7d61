/**
 * A legacy session over Streamable HTTP, by hand: calls that are resumed wherever they broke, questions answered on
 * other connections than they came by, a main stream that is read for as long as the session lives.
 *
 * JSON-RPC ids are small numbers that other sessions use as well, so what goes astray fits in where it does not belong.
 */

import type { Chance } from '../../test/streams/chance.js';
import { initialize, isResponse, type RpcId, type RpcMessage, request } from '../../test/support/json-rpc.js';
import { ACCEPT_BOTH } from '../../test/support/raw-client.js';
import type { RawResponse } from '../../test/support/raw-http.js';
import type { SseEvent } from '../../test/support/sse.js';
import type { Done } from '../history.js';
import { messageOf, told } from './reading.js';
import type { Stage } from './stage.js';
import { type Answer, type Asking, eventsOf, type Wire } from './wire.js';

const REVISION = '2025-11-25';

export interface ToolCall {
  readonly tool: string;
  readonly repeatable: boolean;
  readonly args?: object;
}

interface Running {
  readonly op: string;
  readonly id: RpcId;
  readonly tool: string;
  readonly seen: { first: string | undefined; last: string | undefined; events: number };
  accepted: boolean;
}

export class LegacySession {
  readonly wire: Wire;
  readonly stage: Stage;
  readonly chance: Chance;
  readonly id: string;
  /** From when on a request may find that the session is gone. */
  ending = false;
  #numbers = 0;
  readonly #ops = new Map<RpcId, string>();
  readonly cancelled = new Set<string>();
  #main: RawResponse | undefined;
  #mainLast: string | undefined;
  #watched: string | undefined;

  private constructor(wire: Wire, chance: Chance, id: string) {
    this.wire = wire;
    this.stage = wire.stage;
    this.chance = chance;
    this.id = id;
  }

  /** Undefined: the fleet did not take it this time. */
  static async open(wire: Wire, chance: Chance): Promise<LegacySession | undefined> {
    const answer = await wire.ask({
      method: 'POST',
      path: '/mcp',
      headers: { Accept: ACCEPT_BOTH },
      body: initialize(REVISION, { elicitation: {} }, 0),
    });
    if (answer.outcome !== 'served') return undefined;
    const id = answer.response.headers['mcp-session-id'];
    await answer.response.text().catch(() => '');
    if (typeof id !== 'string') return undefined;
    wire.stage.history.add({ type: 'session', session: id, user: wire.user, client: 'raw', phase: 'opened' });
    const session = new LegacySession(wire, chance, id);
    await session.insist({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  ask(asking: Omit<Asking, 'path' | 'session'>): Promise<Answer> {
    const headers = { Accept: ACCEPT_BOTH, 'Mcp-Session-Id': this.id, 'MCP-Protocol-Version': REVISION };
    return this.wire.ask({ ...asking, path: '/mcp', session: this.id, headers: { ...headers, ...asking.headers } });
  }

  /** Posts until it is acknowledged: for what does no harm when it comes twice. */
  async insist(body: object): Promise<boolean> {
    while (!this.stage.late) {
      const answer = await this.ask({ method: 'POST', body });
      if (answer.outcome === 'served') {
        await answer.response.text().catch(() => '');
        return true;
      }
      if (answer.outcome === 'refused' && answer.status !== 503) return false;
      await this.stage.patience(this.chance);
    }
    return false;
  }

  newId(): RpcId {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** A request without a name of its own in the history: its answer is read and forgotten. True: it was served. */
  async plain(method: string, params: object = {}): Promise<boolean> {
    const answer = await this.ask({ method: 'POST', body: request(this.newId(), method, params) });
    if (answer.outcome !== 'served') return false;
    return answer.response.json().then(
      ({ error }) => error === undefined,
      () => false,
    );
  }

  /** Subscribes, however often that takes: from then on each change is owed to the main stream, for as long as it is read. */
  async watch(uri: string): Promise<void> {
    while (!this.stage.late && !(await this.plain('resources/subscribe', { uri }))) {
      await this.stage.patience(this.chance);
    }
    if (this.stage.late) return;
    this.#watched = uri;
    this.#noteWatching('open');
  }

  #noteWatching(phase: 'open' | 'closed'): void {
    const { id: session, wire, stage } = this;
    const uri = this.#watched;
    if (uri === undefined) return;
    stage.history.add({ type: 'subscription', subscription: session, session, user: wire.user, uri, phase });
  }

  /** What the session's state remembers of a call; undefined where nobody says. */
  async tally(op: string): Promise<number | undefined> {
    while (!this.stage.late) {
      const params = { name: 'tally', arguments: { op } };
      const answer = await this.ask({ method: 'POST', body: request(this.newId(), 'tools/call', params) });
      if (answer.outcome === 'served' && !answer.response.isStream) {
        const message = await answer.response.json().catch(() => undefined);
        const text = message?.result?.content?.[0]?.text;
        if (typeof text === 'string' && message?.result?.isError !== true) return Number(JSON.parse(text).value);
      }
      await this.stage.patience(this.chance);
    }
    return undefined;
  }

  /** A call to its end, as its client knows it. */
  async call({ tool, repeatable, args = {} }: ToolCall, onBegin?: (id: RpcId, op: string) => void): Promise<void> {
    const op = this.stage.newOp();
    const id = this.newId();
    this.#ops.set(id, op);
    const { history } = this.stage;
    history.add({ type: 'call', op, tool, session: this.id, user: this.wire.user, client: 'raw', repeatable });
    onBegin?.(id, op);
    const params = { name: tool, arguments: { op, ...args }, _meta: { progressToken: id } };
    const answer = await this.ask({ method: 'POST', body: request(id, 'tools/call', params), op });
    const running: Running = {
      op,
      id,
      tool,
      seen: { first: undefined, last: undefined, events: 0 },
      accepted: false,
    };
    const outcome = await this.#follow(running, answer);
    history.add({ type: 'done', op, outcome });
    if (outcome === 'answered' && running.seen.events > 1 && this.chance.next() < 0.4) await this.#readAgain(running);
  }

  async #follow(running: Running, first: Answer): Promise<Done['outcome']> {
    let answer = first;
    for (;;) {
      if (answer.outcome === 'served') {
        if (await this.#read(running, answer)) return 'answered';
        if (!running.accepted) return this.ending ? 'ended' : 'unknown';
      } else if (!running.accepted) {
        if (answer.outcome === 'cut') return 'unknown';
        return this.ending ? 'ended' : 'refused';
      } else if (answer.outcome === 'refused' && answer.status !== 503) {
        return this.ending ? 'ended' : 'lost';
      }
      if (this.cancelled.has(running.op)) return 'cancelled';
      if (this.ending) return 'ended';
      if (this.stage.late) return 'lost';
      await this.stage.patience(this.chance);
      answer = await this.#resume(running.seen.last as string, running.op);
    }
  }

  #resume(lastEventId: string, op?: string): Promise<Answer> {
    return this.ask({ headers: { Accept: 'text/event-stream', 'Last-Event-ID': lastEventId }, op });
  }

  /** True: the answer came. */
  async #read(running: Running, { response, connection }: Extract<Answer, { outcome: 'served' }>): Promise<boolean> {
    if (!response.isStream) {
      const message = await response.json().catch(() => undefined);
      if (!message) return false;
      this.#deliver(message, { stream: running.op, connection });
      return true;
    }
    for await (const event of eventsOf(response, this.stage)) {
      const { seen } = running;
      if (event.id !== undefined) {
        if (!running.accepted) this.stage.history.add({ type: 'accepted', op: running.op });
        running.accepted = true;
        seen.first ??= event.id;
        seen.last = event.id;
        seen.events += 1;
      }
      const message = this.#event(event, { stream: running.op, connection });
      if (message && isResponse(message) && message.id === running.id) {
        response.close();
        return true;
      }
    }
    response.close();
    return false;
  }

  #event(event: SseEvent, where: { stream: string; connection: string; replay?: boolean }): RpcMessage | undefined {
    const message = messageOf(event);
    if (message) this.#deliver(message, { ...where, eventId: event.id });
    else if (event.event === 'history_lost') {
      const { id: session, wire } = this;
      this.stage.history.add({ type: 'delivery', session, user: wire.user, ...where, what: 'history_lost' });
    }
    return message;
  }

  #deliver(
    message: RpcMessage,
    where: { stream: string; connection: string; eventId?: string | undefined; replay?: boolean },
  ): void {
    const about = told(message);
    const id = about.what === 'answer' ? message.id : about.what === 'progress' ? message.params?.progressToken : null;
    const op = id === null || id === undefined ? undefined : (this.#ops.get(id) ?? `no call of mine: ${id}`);
    const { id: session, wire } = this;
    this.stage.history.add({ type: 'delivery', session, user: wire.user, ...where, ...about, op });
    if (about.what !== 'question' || where.replay) return;
    const content = { word: about.claim?.op ?? 'nothing' };
    void this.insist({ jsonrpc: '2.0', id: message.id, result: { action: 'accept', content } });
  }

  /** What was sent once must still be there, the same, in the same order. Recorded only when it was read to its end. */
  async #readAgain({ op, seen }: Running): Promise<void> {
    const answer = await this.#resume(seen.first as string, op);
    if (answer.outcome !== 'served') return;
    const { response, connection } = answer;
    const complete = await response.untilEnd(5000).catch(() => false);
    if (complete) {
      for (const event of response.events) this.#event(event, { stream: op, connection, replay: true });
    }
    response.close();
  }

  /** Reads the main stream until the session is over; a connection that breaks is opened again where it was. */
  async readMain(): Promise<void> {
    while (!this.stage.late && !this.ending) {
      const resume = this.#mainLast === undefined ? {} : { 'Last-Event-ID': this.#mainLast };
      const openedAt = this.stage.history.now;
      const answer = await this.ask({ headers: { Accept: 'text/event-stream', ...resume } });
      if (answer.outcome === 'served') {
        this.#main = answer.response;
        for await (const event of eventsOf(answer.response, this.stage)) {
          // Closed here: what was under way counts as never received.
          if (this.#main !== answer.response) break;
          this.#mainLast = event.id ?? this.#mainLast;
          this.#event(event, { stream: 'main', connection: answer.connection });
        }
        answer.response.close();
      } else if (answer.outcome === 'refused' && answer.status !== 503) break;
      if (this.stage.history.now - openedAt < 1000) await this.stage.patience(this.chance);
    }
    this.#noteWatching('closed');
  }

  /** Drops the main stream's connection; {@link readMain} opens another one, probably on another node. */
  dropMain(): void {
    const main = this.#main;
    this.#main = undefined;
    main?.close();
  }

  /** Ends the session, and asks afterwards whether it is gone. */
  async delete(): Promise<void> {
    const { history } = this.stage;
    this.ending = true;
    const about = { type: 'session', session: this.id, user: this.wire.user, client: 'raw' } as const;
    history.add({ ...about, phase: 'ending' });
    for (let attempt = 0; !this.stage.late; attempt += 1) {
      const answer = await this.ask({ method: 'DELETE' });
      if (answer.outcome === 'served') break;
      // Not found at a second try: the first one had no answer and was carried out.
      if (answer.outcome === 'refused' && answer.status === 404 && attempt > 0) break;
      if (answer.outcome === 'refused' && answer.status !== 503) return;
      await this.stage.patience(this.chance);
    }
    if (this.stage.late) return;
    history.add({ ...about, phase: 'deleted' });
    await this.#expectStreamEnd();
    await this.plain('ping');
  }

  async #expectStreamEnd(): Promise<void> {
    const main = this.#main;
    if (!main || main.isOver) return;
    const since = this.stage.history.now;
    // The contract says one second; a node behind a fault learns of it by its next renewal.
    const ended = await main.untilEnd(30_000).then(
      () => true,
      () => false,
    );
    const afterMs = this.stage.history.now - since;
    if (!ended || afterMs > 1000) this.stage.history.add({ type: 'open-stream', session: this.id, afterMs });
  }
}
