/**
 * The span of a modern request. The SDK serves it, so what became of it is seen where the server hands its answer to the
 * SDK's transport; a request that no server saw is judged by its status.
 */
import type { JsonRpcMessage } from '../core/jsonrpc.js';
import { isResponse } from '../core/jsonrpc.js';
import { type Failure, failureOf, failures, type Span } from '../core/tracing.js';

/** As much of a server as is used here; `connect` is public in both SDK lines. */
interface Connectable {
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's transport, of which `send` is replaced by one of the same form.
  connect(transport: any): Promise<void>;
}

export class ModernSpan {
  readonly #span: Span;
  /** Whether a server of this request's own says what became of it. */
  #watched = false;
  #answer: { readonly failure: Failure | undefined } | undefined;

  constructor(span: Span) {
    this.#span = span;
  }

  /** Learns the outcome from the server's own answer. */
  watch(server: Connectable): void {
    if (!this.#span.recording) return;
    this.#watched = true;
    const connect = server.connect.bind(server);
    server.connect = (transport) => {
      const send: (message: JsonRpcMessage, options?: unknown) => Promise<void> = transport.send.bind(transport);
      transport.send = (message: JsonRpcMessage, options?: unknown) => {
        if (isResponse(message)) this.#answer = { failure: failureOf(message) };
        return send(message, options);
      };
      return connect(transport);
    };
  }

  /**
   * Runs the request within the span, which ends with the answer. The one of a subscription ends when that is open: it
   * may stay so for days.
   */
  async around(
    gone: AbortSignal,
    deliver: (response: Response) => Promise<void>,
    serve: (deliver: (response: Response) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const delivered = async (response: Response): Promise<void> => {
      const failed = response.status >= 400 ? { type: String(response.status) } : undefined;
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      if (isStream && !this.#watched) this.#span.end(failed);
      await deliver(response);
      this.#span.end(gone.aborted ? failures.cancelled : (this.#answer?.failure ?? failed));
    };
    try {
      await this.#span.run(() => serve(delivered));
    } catch (error) {
      this.#span.end({ type: (error as Error).name });
      throw error;
    }
  }
}
