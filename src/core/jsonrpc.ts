/**
 * JSON-RPC messages: their shapes, checked by hand once, at the door. The SDKs check contents again where they care;
 * a schema library here would cost more than all the rest of a fast request.
 */
export type JsonRpcId = string | number;

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type JsonRpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: JsonRpcId; readonly result: Record<string, unknown> }
  | { readonly jsonrpc: '2.0'; readonly id: JsonRpcId; readonly error: JsonRpcError };

export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

export const ErrorCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  /** Bad request on the transport's level: no session id, version not served, ... */
  Transport: -32000,
  SessionNotFound: -32001,
  /** Legacy era only. */
  ResourceNotFound: -32002,
} as const;

export function isRequest(message: JsonRpcMessage): message is JsonRpcRequest {
  return 'method' in message && 'id' in message;
}

export function isResponse(message: JsonRpcMessage): message is JsonRpcResponse {
  return !('method' in message);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Ids are told to every node and kept in tables of their own; nobody needs long ones, and they would cost megabytes. */
const MAX_ID_LENGTH = 1024;

/** An id as MCP allows it: text, of bounded length, or a whole number that JSON carries exactly. Never null. */
export function isId(value: unknown): value is JsonRpcId {
  return typeof value === 'string' ? value.length <= MAX_ID_LENGTH : Number.isSafeInteger(value);
}

const RELATED_TASK = 'io.modelcontextprotocol/related-task';
const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

/** The id to answer with when the message as a whole is not valid. */
export function readableId(value: unknown): JsonRpcId | null {
  return isObject(value) && isId(value.id) ? value.id : null;
}

/**
 * What is wrong with a value that should be a JSON-RPC message; undefined: nothing. No milder than the servers behind: the
 * SDKs drop without a word what has another member or a `_meta` of another form, and its sender would wait for ever.
 */
export function messageFault(value: unknown): string | undefined {
  if (!isObject(value)) return 'a message is an object';
  if (value.jsonrpc !== '2.0') return 'jsonrpc must be "2.0"';
  for (const name in value)
    if (!MEMBERS.has(name)) return 'a message has only jsonrpc, id, method, params, result and error';
  if ('id' in value && !isId(value.id))
    return `id must be a string of ${MAX_ID_LENGTH} characters at most, or an integer`;
  if ('method' in value) {
    if (typeof value.method !== 'string') return 'method must be a string';
    if ('params' in value) {
      if (!isObject(value.params)) return 'params must be an object';
      const fault = metaFault(value.params._meta);
      if (fault !== undefined) return fault;
    }
    if ('result' in value || 'error' in value) return 'a message with a method has neither result nor error';
    return undefined;
  }
  if (!('id' in value)) return 'neither method nor id';
  if ('result' in value === 'error' in value) return 'a response has either result or error';
  if ('result' in value) return isObject(value.result) ? metaFault(value.result._meta) : 'result must be an object';
  if ('error' in value) {
    const { error } = value;
    if (!isObject(error) || !Number.isSafeInteger(error.code) || typeof error.message !== 'string') {
      return 'error must have an integer code and a message';
    }
  }
  return undefined;
}

/** What is wrong with the `_meta` of a message; undefined: nothing. */
export function metaFault(meta: unknown): string | undefined {
  if (meta === undefined) return undefined;
  if (!isObject(meta)) return '_meta must be an object';
  const { progressToken, [RELATED_TASK]: task } = meta;
  if (progressToken !== undefined && !isId(progressToken))
    return `progressToken must be a string of ${MAX_ID_LENGTH} characters at most, or an integer`;
  if (task !== undefined && !(isObject(task) && typeof task.taskId === 'string'))
    return `${RELATED_TASK} must have a taskId`;
  return undefined;
}

/** The text of a response. A result that is no JSON (a cycle, a BigInt) is a fault of its handler, and is said so. */
export function responseText(response: JsonRpcResponse): string {
  try {
    return JSON.stringify(response);
  } catch {
    return JSON.stringify(errorResponse(response.id, ErrorCode.InternalError, 'The result cannot be written as JSON'));
  }
}

export function errorResponse<Id extends JsonRpcId | null>(id: Id, code: number, message: string, data?: unknown) {
  return { jsonrpc: '2.0' as const, id, error: { code, message, ...(data !== undefined && { data }) } };
}
