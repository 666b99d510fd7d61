/**
 * Messages to sessions from outside of any request: a webhook, a worker, a cron job. Any process that has the store can
 * send them; they reach the client on the session's main stream, wherever that is open, or when it opens again.
 */
import type { Hub, OpenExchange } from '../core/hub.js';
import { isResponse, type JsonRpcMessage, type JsonRpcResponse } from '../core/jsonrpc.js';
import { newExchangeId } from '../core/random-id.js';
import { SessionGone } from '../core/server-context.js';
import { isSessionId } from '../core/session-id.js';
import { StreamLost } from '../core/stream-writer.js';
import { failureOf, noTracing, startClientSpan, type Tracing } from '../core/tracing.js';
import { formatWireId } from '../core/wire-id.js';
import type { WriteMain } from './main-outlet.js';
import { withTrace } from './server-requests.js';

/** As the SDKs have it. */
const DEFAULT_TIMEOUT_MS = 60_000;

export interface RequestOptions {
  /** How long the answer is waited for. Default 60 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface FleetSession {
  /**
   * Sends a notification. Stored when this resolves; delivered once, in order, when the client's stream is open or opens
   * within `STREAM_TTL_MS`.
   * @throws SessionGone, and StreamLost when the store stays away.
   */
  notify(method: string, params?: Record<string, unknown>): Promise<void>;
  /**
   * Sends a request and waits for the client's result, which may be posted to any node.
   * @throws ClientError for an error of the client, SessionGone, RequestTimeout.
   */
  request(method: string, params?: Record<string, unknown>, options?: RequestOptions): Promise<Record<string, unknown>>;
}

export interface Fleet {
  session(sessionId: string): FleetSession;
}

/** The client answered with a JSON-RPC error. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: number;
  readonly data: unknown;
  constructor(error: { readonly code: number; readonly message: string; readonly data?: unknown }) {
    super(error.message);
    this.code = error.code;
    this.data = error.data;
  }
}

/** The client did not answer in time; it has been told that its answer is not wanted any more. */
export class RequestTimeout extends Error {
  override readonly name = 'RequestTimeout';
}

export interface FleetOptions {
  readonly hub: Hub;
  readonly nodeToken: string;
  readonly nodeId: string;
  readonly tracing?: Tracing;
  readonly writeMain: (sessionId: string) => WriteMain;
  /** Resolves when this process can be answered: its inbox is open. */
  readonly started: () => Promise<void>;
}

export function createFleetAccess(options: FleetOptions): Fleet {
  const { hub, nodeToken, tracing = noTracing, writeMain, started } = options;
  const send = async (sessionId: string, message: object): Promise<void> => {
    if (!isSessionId(sessionId)) throw new SessionGone('there is no session of that name');
    try {
      await writeMain(sessionId)(message);
    } catch (error) {
      if (error instanceof StreamLost && error.reason === 'gone') throw new SessionGone('the session has ended');
      throw error;
    }
  };

  return {
    session: (sessionId) => ({
      notify: (method, params) => send(sessionId, { jsonrpc: '2.0', method, ...(params && { params }) }),

      async request(method, params, { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = {}) {
        signal?.throwIfAborted();
        await started();
        const question = new Question(sessionId);
        const asked = { jsonrpc: '2.0' as const, id: '', method, ...(params && { params }) };
        const span = startClientSpan(tracing, asked, { nodeId: options.nodeId, sessionId }, undefined);
        const id = formatWireId({ nodeToken, exchangeId: question.id, number: 1, trace: span?.context });
        hub.addExchange(question);
        hub.nameExchange(question);
        const giveUp = (reason: Error): void => question.fail(reason);
        const timer = setTimeout(
          () => giveUp(new RequestTimeout(`no answer to ${method} in ${timeoutMs} ms`)),
          timeoutMs,
        );
        const onAbort = (): void => giveUp(signal?.reason as Error);
        signal?.addEventListener('abort', onAbort, { once: true });
        try {
          await send(sessionId, { ...(span ? withTrace(asked, span.context) : asked), id });
          const answer = await question.answer;
          span?.end(failureOf(answer));
          if ('error' in answer) throw new ClientError(answer.error);
          return answer.result;
        } catch (error) {
          span?.end({ type: (error as Error).name });
          if (!question.answered && !(error instanceof SessionGone)) {
            const reason = error instanceof Error ? error.message : String(error);
            const cancelled = { method: 'notifications/cancelled', params: { requestId: id, reason } };
            await send(sessionId, { jsonrpc: '2.0', ...cancelled }).catch(() => undefined);
          }
          throw error;
        } finally {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          hub.removeExchange(question);
        }
      },
    }),
  };
}

/** One request that waits for a client, as the hub and the relay see it. */
class Question implements OpenExchange {
  readonly id = newExchangeId();
  readonly sessionId: string;
  readonly answer: Promise<JsonRpcResponse>;
  readonly callId = undefined;
  answered = false;
  #resolve: (answer: JsonRpcResponse) => void = () => {};
  #reject: (reason: Error) => void = () => {};

  constructor(sessionId: string) {
    this.sessionId = sessionId;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever waits takes the rejection; that nobody does yet is no fault.
    this.answer.catch(() => undefined);
  }

  receive(_number: number, message: JsonRpcMessage): boolean {
    if (!isResponse(message)) return true;
    if (this.answered) return false;
    this.answered = true;
    this.#resolve(message);
    return true;
  }

  fail(reason: Error): void {
    this.#reject(reason);
  }

  cancel(): boolean {
    return false;
  }
  setLevel(): void {}
  abort(): void {
    this.#reject(new SessionGone('the session has ended'));
  }
  relinquish(): void {
    this.#reject(new RequestTimeout('this process is going'));
  }
}
