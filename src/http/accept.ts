/** Media types of a request. */
import type { IncomingMessage } from 'node:http';

export function isJsonContent(req: IncomingMessage): boolean {
  return mediaType(req.headers['content-type'] ?? '') === 'application/json';
}

/** Whether `Accept` allows every one of the types. A missing header allows all, as HTTP has it. */
export function accepts(req: IncomingMessage, ...types: readonly string[]): boolean {
  const header = req.headers.accept;
  // What nearly every client sends, byte for byte; saves the parsing on the hot path.
  if (header === undefined || header === 'application/json, text/event-stream') return true;
  const ranges = header
    .split(',')
    .filter((range) => !/;\s*q=0(\.0*)?\s*(;|$)/.test(range))
    .map(mediaType);
  return types.every((type) =>
    ranges.some((range) => range === type || range === '*/*' || range === `${type.split('/')[0]}/*`),
  );
}

function mediaType(value: string): string {
  const end = value.indexOf(';');
  return (end === -1 ? value : value.slice(0, end)).trim().toLowerCase();
}
