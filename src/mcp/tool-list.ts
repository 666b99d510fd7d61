/**
 * The tools of a server, asked for as a client would: what a tool says of itself is nowhere else. Works on both SDK
 * lines, through the handshake that both know.
 */
import { isObject, isResponse, type JsonRpcId, type JsonRpcMessage, type JsonRpcResponse } from '../core/jsonrpc.js';
import { LATEST_LEGACY_REVISION } from '../core/revisions.js';
import type { McpServerLike, TransportLike } from './server-module.js';

/** Pages that are read: a list without an end must not keep a node busy. */
const MAX_PAGES = 50;

/** Ends by closing the server. Empty for a server that lists none. */
export async function listTools(server: McpServerLike): Promise<readonly Record<string, unknown>[]> {
  const asker = new Asker();
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
      const result = 'result' in response ? response.result : {};
      if (Array.isArray(result.tools)) tools.push(...result.tools.filter(isObject));
      cursor = result.nextCursor;
      if (cursor === undefined) break;
    }
    return tools;
  } finally {
    await server.close();
  }
}

class Asker implements TransportLike {
  onmessage?: TransportLike['onmessage'];
  onclose?: TransportLike['onclose'];
  onerror?: TransportLike['onerror'];
  readonly #waiting = new Map<JsonRpcId, (response: JsonRpcResponse) => void>();
  #asked = 0;

  async start(): Promise<void> {}

  async send(message: JsonRpcMessage): Promise<void> {
    if (isResponse(message)) this.#waiting.get(message.id)?.(message);
  }

  async close(): Promise<void> {
    const { onclose } = this;
    this.onclose = undefined;
    onclose?.();
  }

  ask(method: string, params: object): Promise<JsonRpcResponse> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.onmessage?.({ jsonrpc: '2.0', id, method, params }, {});
    });
  }

  tell(method: string): void {
    this.onmessage?.({ jsonrpc: '2.0', method }, {});
  }
}
