/**
 * The tools of a server, asked for as the caller would: what a tool says of itself is nowhere else. Works on both SDK
 * lines, through the handshake that both know. A list that cannot be read to its end is no list: whoever decides by it
 * must not take what is missing for what is not there.
 */
import {
  ErrorCode,
  isObject,
  isResponse,
  type JsonRpcId,
  type JsonRpcMessage,
  type JsonRpcResponse,
} from '../core/jsonrpc.js';
import { LATEST_LEGACY_REVISION } from '../core/revisions.js';
import type { AuthInfo } from '../core/server-context.js';
import type { McpServerLike, TransportLike } from './server-module.js';

/** Pages that are read: a list without an end must not keep a node busy. */
const MAX_PAGES = 50;
/** How long a server may take for all of it: a request waits. */
const PATIENCE_MS = 5000;

/**
 * Ends by closing the server. Empty for a server that knows no list of tools.
 * @throws where the list fails, does not come, or has no end.
 */
export async function listTools(
  server: McpServerLike,
  authInfo?: AuthInfo,
): Promise<readonly Record<string, unknown>[]> {
  const asker = new Asker(authInfo);
  const timer = setTimeout(() => asker.giveUp(`it did not come in ${PATIENCE_MS} ms`), PATIENCE_MS);
  try {
    await server.connect(asker);
    await asker.ask('initialize', {
      protocolVersion: LATEST_LEGACY_REVISION,
      capabilities: {},
      clientInfo: { name: 'anynode', version: '0' },
    });
    asker.tell('notifications/initialized');
    const tools: Record<string, unknown>[] = [];
    let cursor: unknown;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const response = await asker.ask('tools/list', cursor === undefined ? {} : { cursor });
      if ('error' in response) {
        if (response.error.code === ErrorCode.MethodNotFound) return [];
        throw unreadable(response.error.message);
      }
      const { result } = response;
      if (Array.isArray(result.tools)) tools.push(...result.tools.filter(isObject));
      cursor = result.nextCursor;
      if (cursor === undefined) return tools;
    }
    throw unreadable(`it has more than ${MAX_PAGES} pages`);
  } finally {
    clearTimeout(timer);
    await server.close();
  }
}

function unreadable(why: string): Error {
  return new Error(`the list of tools cannot be read: ${why}`);
}

class Asker implements TransportLike {
  onmessage?: TransportLike['onmessage'];
  onclose?: TransportLike['onclose'];
  onerror?: TransportLike['onerror'];
  readonly #extra: object;
  readonly #waiting = new Map<JsonRpcId, (response: JsonRpcResponse) => void>();
  /** Rejects when nobody waits any longer. */
  readonly #givenUp: Promise<never>;
  giveUp: (why: string) => void = () => {};
  #asked = 0;

  constructor(authInfo: AuthInfo | undefined) {
    this.#extra = authInfo ? { authInfo } : {};
    this.#givenUp = new Promise((_, reject) => {
      this.giveUp = (why) => reject(unreadable(why));
    });
    this.#givenUp.catch(() => undefined);
  }

  async start(): Promise<void> {}

  async send(message: JsonRpcMessage): Promise<void> {
    if (isResponse(message)) this.#waiting.get(message.id)?.(message);
  }

  async close(): Promise<void> {
    this.giveUp('the server closed');
    const { onclose } = this;
    this.onclose = undefined;
    onclose?.();
  }

  ask(method: string, params: object): Promise<JsonRpcResponse> {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise<JsonRpcResponse>((resolve) => {
      this.#waiting.set(id, resolve);
      this.onmessage?.({ jsonrpc: '2.0', id, method, params }, this.#extra);
    });
    return Promise.race([answer, this.#givenUp]);
  }

  tell(method: string): void {
    this.onmessage?.({ jsonrpc: '2.0', method }, this.#extra);
  }
}
