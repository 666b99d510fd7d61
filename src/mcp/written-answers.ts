/**
 * Answers that are no JSON (a cycle, a BigInt, a `toJSON` that throws), in the modern era: the SDK's transport takes such a
 * result for delivered, then fails to write it, and its client waits for ever. Here the client is told, as in the other
 * era; what a handler says on the way and cannot be written stays the handler's own fault.
 */
import { isResponse, type JsonRpcMessage, responseText } from '../core/jsonrpc.js';
import type { McpServerLike, TransportLike } from './server-module.js';

/** Looks at what the server sends from its connection on. A server serves one exchange here, so it is done once. */
export function withWrittenAnswers(server: McpServerLike): void {
  // The high-level server connects by its low-level one, and the SDK connects that one directly.
  const lowLevel = 'server' in server ? (server.server as McpServerLike) : server;
  const connect = lowLevel.connect.bind(lowLevel);
  lowLevel.connect = (transport: TransportLike) => {
    const send = transport.send.bind(transport);
    transport.send = (message: JsonRpcMessage, options?: unknown) => send(writable(message), options);
    return connect(transport);
  };
}

/** Written twice, here to see whether it can be: the SDK has no seam between writing and sending. */
function writable(message: JsonRpcMessage): JsonRpcMessage {
  if (!isResponse(message)) return message;
  try {
    JSON.stringify(message);
    return message;
  } catch {
    return JSON.parse(responseText(message)) as JsonRpcMessage;
  }
}
