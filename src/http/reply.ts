/** Answers that are not streams. Every error, on every route, is a JSON-RPC error object. */
import type { ServerResponse } from 'node:http';
import { errorResponse, type JsonRpcId } from '../core/jsonrpc.js';
import type { RefusalReason } from '../core/metrics.js';

/** On every answer: no page is made of it, no other site frames it, and nothing between here and the client keeps it. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
};

/** As a list, which Node writes as it is; an object would be put together and taken apart for each answer. */
const CACHED_JSON_HEADERS = [...Object.entries(SAFE_HEADERS).flat(), 'Content-Type', 'application/json'];
const JSON_HEADERS = [...CACHED_JSON_HEADERS, 'Cache-Control', 'no-store'];

export type Headers = Readonly<Record<string, string>>;

export function sendJson(res: ServerResponse, status: number, body: unknown, headers: Headers = {}): void {
  sendText(res, status, JSON.stringify(body), headers);
}

/** `text` is JSON. */
export function sendText(res: ServerResponse, status: number, text: string, headers: Headers = {}): void {
  if (res.headersSent || res.destroyed) return;
  const fixed = headers['Cache-Control'] === undefined ? JSON_HEADERS : CACHED_JSON_HEADERS;
  const list = [...fixed, 'Content-Length', String(Buffer.byteLength(text))];
  for (const name in headers) list.push(name, headers[name] as string);
  res.writeHead(status, list);
  res.end(text);
  if (res.writableLength > 0) untilRead(res);
}

/** A client that takes nothing for this long of what waits for it is gone; what waits takes memory. */
const UNREAD_MS = 60_000;
const watched = new WeakSet<ServerResponse>();

/** To be called when something waits to be read: cuts the client off that takes none of it. Slow ones get their time. */
export function untilRead(res: ServerResponse): void {
  res.setTimeout(UNREAD_MS);
  if (watched.has(res)) return;
  watched.add(res);
  res.on('timeout', () => res.destroy());
  res.on('drain', () => res.setTimeout(0));
}

export interface HttpFault {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  readonly headers?: Headers;
  /** Why somebody was kept out, as the audit trail names it. Unset: a mistake, not a refusal. */
  readonly refusal?: string;
  /** Refused because it went over a limit: which one. Counted, not sent. */
  readonly reason?: RefusalReason;
}

export function sendFault(res: ServerResponse, id: JsonRpcId | null, fault: HttpFault): void {
  sendJson(res, fault.status, errorResponse(id, fault.code, fault.message, fault.data), fault.headers);
}

export function sendEmpty(res: ServerResponse, status: number, headers: Headers = {}): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, { ...SAFE_HEADERS, ...headers, 'Content-Length': '0' });
  res.end();
}
