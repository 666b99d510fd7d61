/**
 * Carries a client's answer to the call that waits for it, on whichever node that runs.
 *
 * The client posts its answer anywhere; its wire id names node and exchange. On this node it is handed over at once,
 * otherwise it is put into the other node's inbox, and only then is it acknowledged: an answer that was accepted is not
 * lost with the node that accepted it. The waiting side checks session and number, so an answer that is late, doubled,
 * forged or of another session is dropped and counted, and its sender learns nothing from that.
 *
 * Progress on a server's request takes the same way, and so stays in order with the answer.
 */

import type { Hub } from './hub.js';
import {
  isObject,
  isResponse,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcResponse,
} from './jsonrpc.js';
import type { Metrics, RelayOutcome } from './metrics.js';
import type { Broker, Letter } from './ports/broker.js';
import { parseWireId, type WireId } from './wire-id.js';

export interface RelayOptions {
  readonly hub: Hub;
  readonly broker: Broker;
  readonly metrics: Metrics;
  readonly nodeToken: string;
}

export class Relay {
  readonly #options: RelayOptions;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Resolves when the message is taken over, or known to be unwanted. @throws StoreUnavailable */
  async accept(sessionId: string, message: JsonRpcResponse | JsonRpcNotification): Promise<void> {
    const { broker, metrics, nodeToken } = this.#options;
    const wireId = wireIdOf(message);
    let outcome: RelayOutcome;
    if (!wireId) outcome = 'forged';
    else if (wireId.nodeToken === nodeToken) outcome = this.#handOver(sessionId, wireId, message) ?? 'local';
    else {
      const posted = await broker.post(wireId.nodeToken, { sessionId, message: JSON.stringify(message) });
      outcome = posted ? 'posted' : 'orphaned';
    }
    metrics.relayed(kindOf(message), outcome);
  }

  /** A letter from this node's inbox. */
  deliver(letter: Letter): void {
    const message = JSON.parse(letter.message) as JsonRpcResponse | JsonRpcNotification;
    const wireId = wireIdOf(message);
    const outcome = wireId ? (this.#handOver(letter.sessionId, wireId, message) ?? 'delivered') : 'forged';
    this.#options.metrics.relayed(kindOf(message), outcome);
  }

  /** Why the message was not wanted; undefined: it was. */
  #handOver(sessionId: string, wireId: WireId, message: JsonRpcMessage): RelayOutcome | undefined {
    const exchange = this.#options.hub.exchange(wireId.exchangeId);
    if (!exchange) return 'unwanted';
    if (exchange.sessionId !== sessionId) return 'foreign';
    return exchange.receive(wireId.number, message) ? undefined : 'unwanted';
  }
}

function wireIdOf(message: JsonRpcResponse | JsonRpcNotification): WireId | undefined {
  if (isResponse(message)) return parseWireId(message.id);
  return isObject(message.params) ? parseWireId(message.params.progressToken) : undefined;
}

function kindOf(message: JsonRpcMessage): 'answer' | 'progress' {
  return isResponse(message) ? 'answer' : 'progress';
}
