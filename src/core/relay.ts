/**
 * Carries a client's answer to the call that waits for it, on whichever node that runs.
 *
 * The client posts its answer anywhere; its wire id names node and exchange. On this node it is handed over at once,
 * otherwise it is put into the other node's inbox, and only then is it acknowledged: an answer that was accepted is not
 * lost with the node that accepted it. The waiting side checks session and number, so an answer that is late, doubled,
 * forged or of another session is dropped and counted, and its sender learns nothing from that.
 *
 * Progress on a server's request takes the same way, and so stays in order with the answer.
 *
 * Traced, both ends have a span in the trace of the question: the wire id carries it here, the letter carries it on. A
 * context that the client sends wins where it is of that trace, and is linked where it is of another.
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
import { contextOfMessage, formatTraceparent, parseTraceContext, type TraceContext } from './trace-context.js';
import { type Attributes, noTracing, type Span, shownSession, type Tracing } from './tracing.js';
import { parseWireId, type WireId } from './wire-id.js';

export interface RelayOptions {
  readonly hub: Hub;
  readonly broker: Broker;
  readonly metrics: Metrics;
  readonly nodeToken: string;
  readonly nodeId: string;
  readonly tracing?: Tracing;
}

export class Relay {
  readonly #options: RelayOptions;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the message is taken over, or known to be unwanted. `ambient`: the trace context of its request.
   * @throws StoreUnavailable
   */
  async accept(
    sessionId: string,
    message: JsonRpcResponse | JsonRpcNotification,
    ambient?: TraceContext,
  ): Promise<Span | undefined> {
    const { metrics } = this.#options;
    const wireId = wireIdOf(message);
    const span = this.#acceptance(sessionId, message, wireId, ambient);
    try {
      const outcome = await this.#accept(sessionId, message, wireId, span);
      metrics.relayed(kindOf(message), outcome);
      endSpan(span, outcome);
    } catch (error) {
      span?.end({ type: (error as Error).name });
      throw error;
    }
    return span;
  }

  async #accept(
    sessionId: string,
    message: JsonRpcResponse | JsonRpcNotification,
    wireId: WireId | undefined,
    span: Span | undefined,
  ): Promise<RelayOutcome> {
    const { broker, nodeToken } = this.#options;
    if (!wireId) return 'forged';
    if (wireId.nodeToken === nodeToken) return this.#handOver(sessionId, wireId, message) ?? 'local';
    const letter = {
      sessionId,
      message: JSON.stringify(message),
      ...(span && { traceparent: formatTraceparent(span.context) }),
    };
    return (await broker.post(wireId.nodeToken, letter)) ? 'posted' : 'orphaned';
  }

  /** A letter from this node's inbox. */
  deliver(letter: Letter): void {
    const message = JSON.parse(letter.message) as JsonRpcResponse | JsonRpcNotification;
    const wireId = wireIdOf(message);
    const { tracing = noTracing, metrics } = this.#options;
    const kind = kindOf(message);
    const parent = letter.traceparent === undefined ? wireId?.trace : parseTraceContext(letter);
    const span =
      tracing.active && parent
        ? tracing.start({
            name: `deliver ${kind}`,
            kind: 'consumer',
            parent,
            attributes: () => this.#attributes(letter.sessionId),
          })
        : undefined;
    const outcome = wireId ? (this.#handOver(letter.sessionId, wireId, message) ?? 'delivered') : 'forged';
    metrics.relayed(kind, outcome);
    endSpan(span, outcome);
  }

  #acceptance(
    sessionId: string,
    message: JsonRpcMessage,
    wireId: WireId | undefined,
    ambient: TraceContext | undefined,
  ): Span | undefined {
    const { tracing = noTracing } = this.#options;
    const question = wireId?.trace;
    const own = contextOfMessage(message);
    if (!tracing.active && !question && !own && !ambient) return undefined;
    const given = own ?? ambient;
    const [parent, link] = question && given?.traceId !== question.traceId ? [question, given] : [given, question];
    return tracing.start({
      name: `accept ${kindOf(message)}`,
      kind: 'producer',
      parent,
      link,
      attributes: () => this.#attributes(sessionId),
    });
  }

  #attributes(sessionId: string): Attributes {
    return { 'mcp.session.id': shownSession(sessionId), 'anynode.node.id': this.#options.nodeId };
  }

  /** Why the message was not wanted; undefined: it was. */
  #handOver(sessionId: string, wireId: WireId, message: JsonRpcMessage): RelayOutcome | undefined {
    const exchange = this.#options.hub.exchange(wireId.exchangeId);
    if (!exchange) return 'unwanted';
    if (exchange.sessionId !== sessionId) return 'foreign';
    return exchange.receive(wireId.number, message) ? undefined : 'unwanted';
  }
}

function endSpan(span: Span | undefined, outcome: RelayOutcome): void {
  if (!span?.recording) return;
  span.set({ 'anynode.relay.outcome': outcome });
  span.end(outcome === 'local' || outcome === 'posted' || outcome === 'delivered' ? undefined : { type: outcome });
}

function wireIdOf(message: JsonRpcResponse | JsonRpcNotification): WireId | undefined {
  if (isResponse(message)) return parseWireId(message.id);
  return isObject(message.params) ? parseWireId(message.params.progressToken) : undefined;
}

function kindOf(message: JsonRpcMessage): 'answer' | 'progress' {
  return isResponse(message) ? 'answer' : 'progress';
}
