/**
 * The modern era by hand: calls that are complete in themselves, calls of two rounds whose state comes back signed, and
 * a subscription that is opened again when it breaks. There is no session and nothing to resume: a call that breaks is
 * known to be lost.
 */
import { body, modernHeaders } from '../../test/modern/modern-client.js';
import type { Chance } from '../../test/streams/chance.js';
import { isResponse, type RpcMessage } from '../../test/support/json-rpc.js';
import { ACCEPT_BOTH } from '../../test/support/raw-client.js';
import type { RawResponse } from '../../test/support/raw-http.js';
import type { ToolCall } from './legacy-session.js';
import { messageOf, told } from './reading.js';
import type { Stage } from './stage.js';
import { type Answer, eventsOf, type Wire } from './wire.js';

const CAPABILITIES = { elicitation: {} };

export class ModernCaller {
  readonly #wire: Wire;
  readonly #stage: Stage;
  readonly #chance: Chance;
  #numbers = 0;
  #listening: RawResponse | undefined;

  constructor(wire: Wire, chance: Chance) {
    this.#wire = wire;
    this.#stage = wire.stage;
    this.#chance = chance;
  }

  async call({ tool, repeatable, args = {} }: ToolCall): Promise<void> {
    const { history } = this.#stage;
    const op = this.#stage.newOp();
    const user = this.#wire.user;
    history.add({ type: 'call', op, tool, session: undefined, user, client: 'raw modern', repeatable });
    let more = {};
    for (let round = 0; ; round += 1) {
      const answer = await this.#ask('tools/call', { name: tool, arguments: { op, ...args }, ...more }, op);
      const message = answer.outcome === 'served' ? await this.#answer(answer, op) : undefined;
      if (!message) {
        const outcome = answer.outcome === 'refused' ? 'refused' : 'unknown';
        // A round may be taken again: its state knows what came before.
        if (round > 0 && !this.#stage.late) {
          await this.#stage.patience(this.#chance);
          continue;
        }
        history.add({ type: 'done', op, outcome });
        return;
      }
      if (message.result?.resultType !== 'input_required') {
        history.add({ type: 'done', op, outcome: 'answered' });
        return;
      }
      const question = message.result.inputRequests?.word?.params?.message;
      const { claim } = told({ method: 'elicitation/create', params: { message: question } });
      history.add({
        type: 'delivery',
        session: undefined,
        user,
        stream: op,
        connection: answer.outcome,
        what: 'question',
        op,
        claim,
      });
      const inputResponses = { word: { action: 'accept', content: { word: claim?.op ?? 'nothing' } } };
      more = { requestState: message.result.requestState, inputResponses };
    }
  }

  /** Listens to a resource until the run is over; what is missed between two subscriptions is not owed. */
  async listen(uri: string): Promise<void> {
    const { history } = this.#stage;
    const user = this.#wire.user;
    while (!this.#stage.late) {
      const answer = await this.#ask('subscriptions/listen', { notifications: { resourceSubscriptions: [uri] } });
      if (answer.outcome === 'served') {
        const subscription = answer.connection;
        this.#listening = answer.response;
        let open = false;
        const change = { type: 'subscription', subscription, session: undefined, user, uri } as const;
        for await (const event of eventsOf(answer.response, this.#stage)) {
          if (this.#listening !== answer.response) break;
          const message = messageOf(event);
          if (!message) continue;
          if (!open && message.method === 'notifications/subscriptions/acknowledged') {
            open = true;
            history.add({ ...change, phase: 'open' });
          } else {
            const where = { session: undefined, user, stream: subscription, connection: subscription };
            history.add({ type: 'delivery', ...where, ...told(message) });
          }
        }
        if (open) history.add({ ...change, phase: 'closed' });
        answer.response.close();
      }
      await this.#stage.patience(this.#chance);
    }
  }

  dropListening(): void {
    const listening = this.#listening;
    this.#listening = undefined;
    listening?.close();
  }

  #ask(method: string, params: Record<string, unknown>, op?: string): Promise<Answer> {
    this.#numbers += 1;
    const headers = { Accept: ACCEPT_BOTH, ...modernHeaders(method, params) };
    const options = { id: this.#numbers, capabilities: CAPABILITIES };
    return this.#wire.ask({ method: 'POST', path: '/mcp', headers, body: body(method, params, options), op });
  }

  async #answer(
    { response, connection }: Extract<Answer, { outcome: 'served' }>,
    op: string,
  ): Promise<RpcMessage | undefined> {
    if (!response.isStream) {
      const message = await response.json().catch(() => undefined);
      if (message) this.#deliver(message, op, connection);
      return message;
    }
    for await (const event of eventsOf(response, this.#stage)) {
      const message = messageOf(event);
      if (message) this.#deliver(message, op, connection);
      if (message && isResponse(message)) {
        response.close();
        return message;
      }
    }
    response.close();
    return undefined;
  }

  #deliver(message: RpcMessage, op: string, connection: string): void {
    // A question is no final answer; it is written down by who answers it.
    if (message.result?.resultType === 'input_required') return;
    const where = { session: undefined, user: this.#wire.user, stream: op, connection };
    this.#stage.history.add({ type: 'delivery', ...where, op, ...told(message) });
  }
}
