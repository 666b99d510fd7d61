/** JSON-RPC messages as the tests build and read them: loosely typed, since wrong ones are sent on purpose. */
export type RpcId = string | number | null;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export interface RpcMessage {
  readonly jsonrpc?: string;
  readonly id?: RpcId;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into payloads they have asserted themselves.
  readonly params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly result?: any;
  readonly error?: RpcError;
}

export const REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const;
export const NEWEST_REVISION = '2025-11-25';

export const request = (id: RpcId, method: string, params?: unknown): object => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
});

export const notification = (method: string, params?: unknown): object => ({
  jsonrpc: '2.0',
  method,
  ...(params === undefined ? {} : { params }),
});

export const initialize = (revision: string, capabilities: object = {}, id: RpcId = 'init'): object =>
  request(id, 'initialize', {
    protocolVersion: revision,
    capabilities,
    clientInfo: { name: 'raw-client', version: '1.2.3' },
  });

export const isResponse = (message: RpcMessage): boolean => message.method === undefined;
export const isRequest = (message: RpcMessage): boolean => message.method !== undefined && message.id !== undefined;

/** Text of the first content item of a tool's result. */
export function textOf(message: RpcMessage): string {
  const text: unknown = message.result?.content?.[0]?.text;
  if (typeof text !== 'string') throw new Error(`no text content in ${JSON.stringify(message).slice(0, 500)}`);
  return text;
}
