/**
 * What results change in the session record: the log level and the subscriptions. A server object does not outlive its
 * request, so what it was told to remember is kept by the fleet; stored before the client is told that it was done.
 */
import type { ChangeFeed } from '../core/change-feed.js';
import { ErrorCode, errorResponse, isObject, type JsonRpcRequest, type JsonRpcResponse } from '../core/jsonrpc.js';
import { isLogLevel, LOG_LEVELS } from '../core/log-level.js';
import type { Broker, Signal } from '../core/ports/broker.js';
import { MAX_SUBSCRIPTIONS, type SessionStore, TooManySubscriptions } from '../core/ports/session-store.js';
import { SessionGone } from '../core/server-context.js';

/** Of a resource that is subscribed to: it is kept with the session. */
const MAX_URI_LENGTH = 4096;

export interface SessionEffects {
  /** Returns the response to send; a promise only where something was stored. @throws SessionGone, StoreUnavailable */
  apply(
    request: JsonRpcRequest,
    response: JsonRpcResponse,
    serverCapabilities: Record<string, unknown>,
  ): JsonRpcResponse | Promise<JsonRpcResponse>;
}

export const noEffects: SessionEffects = { apply: (_request, response) => response };

export function createSessionEffects(
  sessionId: string,
  sessions: SessionStore,
  broker: Broker,
  feed: Pick<ChangeFeed, 'position'>,
): SessionEffects {
  const keep = async (stored: Promise<boolean>, signal: Signal): Promise<void> => {
    if (!(await stored)) throw new SessionGone('the session has ended');
    await broker.signal(signal);
  };

  const setLevel = async (request: JsonRpcRequest, response: JsonRpcResponse): Promise<JsonRpcResponse> => {
    if ('result' in response) {
      const level = String(request.params?.level);
      await keep(sessions.update(sessionId, { logLevel: level }), { kind: 'level', sessionId, level });
    }
    return levelFault(request, response);
  };

  const subscribe = async (request: JsonRpcRequest, answer: JsonRpcResponse): Promise<JsonRpcResponse> => {
    const uri = request.params?.uri;
    if (!('result' in answer) || typeof uri !== 'string') return answer;
    const active = request.method === 'resources/subscribe';
    if (active && uri.length > MAX_URI_LENGTH) {
      const message = `params.uri has ${MAX_URI_LENGTH} characters at most`;
      return errorResponse(request.id, ErrorCode.InvalidParams, message);
    }
    // From before it is stored: what changes after the client's answer comes after this, wherever it is heard of.
    const since = feed.position ?? '';
    const stored = active ? sessions.subscribe(sessionId, uri, since) : sessions.unsubscribe(sessionId, uri);
    try {
      await keep(stored, { kind: 'subscription', sessionId, uri, active, ...(active && since !== '' && { since }) });
    } catch (error) {
      if (!(error instanceof TooManySubscriptions)) throw error;
      const message = `Subscription limit reached (${MAX_SUBSCRIPTIONS} in one session)`;
      return errorResponse(request.id, ErrorCode.InternalError, message);
    }
    return answer;
  };

  return {
    apply(request, response, serverCapabilities) {
      switch (request.method) {
        case 'logging/setLevel':
          return setLevel(request, response);
        case 'resources/subscribe':
        case 'resources/unsubscribe':
          return subscribe(request, keptByFleet(request, response, serverCapabilities));
        case 'resources/read':
          return inLegacyWords(request, response);
        default:
          return response;
      }
    },
  };
}

/** A level that does not exist is a fault of the client; the SDKs report one of the server. */
function levelFault(request: JsonRpcRequest, response: JsonRpcResponse): JsonRpcResponse {
  if (!('error' in response) || response.error.code !== ErrorCode.InternalError) return response;
  if (isLogLevel(request.params?.level)) return response;
  const error = { code: ErrorCode.InvalidParams, message: `params.level must be one of ${LOG_LEVELS.join(', ')}` };
  return { ...response, error };
}

/** A resource that does not exist is -32602 for the modern era and -32002 for this one; the second SDK line says the former. */
function inLegacyWords(request: JsonRpcRequest, response: JsonRpcResponse): JsonRpcResponse {
  if (!('error' in response) || response.error.code !== ErrorCode.InvalidParams) return response;
  const { data } = response.error;
  // With anything beside it, such as a reason, it is another fault of the parameters.
  if (!isObject(data) || data.uri !== request.params?.uri || Object.keys(data).length > 1) return response;
  return { ...response, error: { ...response.error, code: ErrorCode.ResourceNotFound } };
}

/**
 * A server that declares `resources.subscribe` but has no handler for it (the SDKs' high-level server brings none) means
 * that its host keeps the subscriptions; here the fleet does.
 */
function keptByFleet(
  request: JsonRpcRequest,
  response: JsonRpcResponse,
  capabilities: Record<string, unknown>,
): JsonRpcResponse {
  if (!('error' in response) || response.error.code !== ErrorCode.MethodNotFound) return response;
  const declared = isObject(capabilities.resources) && capabilities.resources.subscribe === true;
  if (!declared) return response;
  if (typeof request.params?.uri !== 'string' || request.params.uri === '') {
    const error = { code: ErrorCode.InvalidParams, message: 'params.uri must be a non-empty string' };
    return { jsonrpc: '2.0', id: response.id, error };
  }
  return { jsonrpc: '2.0', id: response.id, result: {} };
}
