/**
 * Messages of a client that get no answer: answers to the server's own requests, progress, cancellations, notifications.
 * Acknowledged only when what they carry is stored, and then passed on to whom they concern.
 */
import { DelayQueue } from '../core/delay-queue.js';
import { isId, isResponse, type JsonRpcMessage, type JsonRpcNotification } from '../core/jsonrpc.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import { SessionGone } from '../core/server-context.js';
import type { Span } from '../core/tracing.js';
import type { Exchange } from './exchange.js';
import type { Caller, LegacyEra } from './legacy-era.js';
import { createMainOutlet } from './main-outlet.js';

/**
 * A notification's handlers do not say when they are done. Their server stays connected this long after the last sign
 * of them, and for as long as it waits for the client.
 */
const LINGER_MS = 1000;

export class Notices {
  readonly #era: LegacyEra;
  readonly #lingering: DelayQueue<Exchange>;

  constructor(era: LegacyEra) {
    this.#era = era;
    this.#lingering = new DelayQueue(LINGER_MS, (exchange) => {
      if (exchange.closed) return;
      if (exchange.waiting) this.#lingering.add(exchange);
      else exchange.end();
    });
  }

  /**
   * Takes over a message that gets no answer. Resolves when what it carries is stored, or known to be unwanted.
   * @throws SessionGone, StoreUnavailable
   */
  async accept(session: SessionRecord, message: JsonRpcMessage, caller: Caller): Promise<void> {
    const { trail } = caller;
    if (isResponse(message) || message.method === 'notifications/progress') {
      const span = await this.#era.options.relay.accept(session.sessionId, message, trail?.ambient);
      if (span) trail?.joined(span.context);
      return;
    }
    const span = this.#era.span(session, message, caller);
    try {
      await this.#accept(session, message, caller, span);
      span?.end();
    } catch (error) {
      span?.end({ type: (error as Error).name });
      throw error;
    }
  }

  async #accept(session: SessionRecord, message: JsonRpcNotification, caller: Caller, span?: Span): Promise<void> {
    const { store, metrics } = this.#era.options;
    const { sessionId } = session;
    switch (message.method) {
      case 'notifications/cancelled': {
        const requestId = message.params?.requestId;
        const reason = message.params?.reason;
        if (!isId(requestId)) return;
        await store.broker.signal({
          kind: 'cancelled',
          sessionId,
          requestId,
          // Told to every node, for the handler's eyes: a line, not a book.
          ...(typeof reason === 'string' && { reason: reason.slice(0, 1000) }),
        });
        metrics.relayed('cancel', 'posted');
        return;
      }
      case 'notifications/initialized':
        if (!(await store.sessions.update(sessionId, { initialized: true }))) {
          throw new SessionGone('the session has ended');
        }
        await store.broker.signal({ kind: 'initialized', sessionId });
        break;
    }
    this.#notifyServer(session, message, caller, span);
  }

  /** After the acknowledgement: a handler's fault is no fault of the message. */
  #notifyServer(session: SessionRecord, message: JsonRpcNotification, caller: Caller, span?: Span): void {
    const outlet = createMainOutlet(this.#era.writeMain(session.sessionId), 0);
    const context = () => this.#era.contextFor(session, caller);
    Promise.resolve(this.#era.exchange(session, context, caller, outlet, this.#era.effects(session.sessionId))).then(
      (exchange) => {
        exchange.deliver(message, span);
        this.#lingering.add(exchange);
      },
      (error: Error) =>
        this.#era.options.logger.error({ error, ...caller.trail?.ids() }, 'notification: not delivered'),
    );
  }

  stop(): void {
    this.#lingering.clear();
  }
}
