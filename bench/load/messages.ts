/** Requests as bytes, and what a session of a client is to the bench. */
import { Buffer } from 'node:buffer';
import type { Contestant } from '../contestants/index.js';
import { Connection } from './connection.js';

export const REVISION = '2025-11-25';
const MODERN_REVISION = '2026-07-28';

export function post(headers: Readonly<Record<string, string>>, message: object): string {
  const body = JSON.stringify(message);
  const lines = Object.entries({
    Host: '127.0.0.1',
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    ...headers,
    'Content-Length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}`);
  return `POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

export const sessionHeaders = (sessionId: string): Record<string, string> => ({
  'Mcp-Session-Id': sessionId,
  'Mcp-Protocol-Version': REVISION,
});

/** A request in the words of the contestant; `sessionId` where it has sessions. */
export function rpc(
  { speaks, headers = {} }: Contestant,
  sessionId: string | undefined,
  method: string,
  params: Record<string, unknown>,
): string {
  const message = { jsonrpc: '2.0', id: 7, method, params };
  if (speaks === 'plain') return post({}, message);
  if (speaks === 'stateless') return post({ 'Mcp-Protocol-Version': REVISION }, message);
  if (speaks === 'sessions') return post({ ...headers, ...sessionHeaders(sessionId as string) }, message);
  const _meta = {
    ...(params._meta as object | undefined),
    'io.modelcontextprotocol/protocolVersion': MODERN_REVISION,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const routing = { 'Mcp-Method': method, ...(typeof params.name === 'string' && { 'Mcp-Name': params.name }) };
  return post({ 'Mcp-Protocol-Version': MODERN_REVISION, ...routing }, { ...message, params: { ...params, _meta } });
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'open',
  method: 'initialize',
  params: {
    protocolVersion: REVISION,
    capabilities: { elicitation: { form: {} }, roots: { listChanged: true } },
    clientInfo: { name: 'bench', version: '1.0.0' },
  },
};
const PLAIN_INITIALIZE = post({}, INITIALIZE);
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

/** Opens a session as a client does, both messages; resolves with its id. */
export async function openSession(connection: Connection, headers?: Contestant['headers']): Promise<string> {
  const { status, text } = await connection.request(headers ? post(headers, INITIALIZE) : PLAIN_INITIALIZE);
  const sessionId = /\r\nmcp-session-id: *([^\r]+)/i.exec(text)?.[1];
  if (status !== 200 || sessionId === undefined) throw new Error(`initialize: ${text}`);
  const accepted = await connection.request(post({ ...headers, ...sessionHeaders(sessionId) }, INITIALIZED));
  if (accepted.status !== 202) throw new Error(`initialized: ${accepted.text}`);
  return sessionId;
}

/** The two messages of an opening, to a contestant that has no sessions to open. */
export async function greet(connection: Connection): Promise<void> {
  const { status, text } = await connection.request(PLAIN_INITIALIZE);
  if (status !== 200) throw new Error(`initialize: ${text}`);
  const accepted = await connection.request(post({ 'Mcp-Protocol-Version': REVISION }, INITIALIZED));
  if (accepted.status !== 202) throw new Error(`initialized: ${accepted.text}`);
}

export function openAll(port: number, count: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => Connection.open(port)));
}
