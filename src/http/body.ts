/**
 * Reading and parsing the body of a POST: once, bounded in bytes, depth and number of elements.
 *
 * Not here: bounds in time. A request that trickles is ended by the listener (app/listen.ts); then this says `aborted`.
 */
import type { IncomingMessage } from 'node:http';
import { hasTwice, type ShapeFault, type ShapeLimits, scanJson, shapeFaultOf } from './json-shape.js';

/**
 * What is read of a body that is too large before the connection is cut: answering while the client still sends makes
 * many clients see a broken connection instead of the 413.
 */
const DRAIN_BYTES = 32 * 1024 * 1024;

export interface BodyLimits extends ShapeLimits {
  readonly maxBytes: number;
  /** Messages in one batch. */
  readonly maxBatch: number;
}

export type Body =
  | { readonly outcome: 'parsed'; readonly value: unknown }
  | { readonly outcome: 'too-large' }
  | { readonly outcome: 'not-json' }
  | { readonly outcome: ShapeFault }
  /** A member of a message is there more than once. */
  | { readonly outcome: 'given-twice' }
  /** The client went away. */
  | { readonly outcome: 'aborted' };

export function readJsonBody(req: IncomingMessage & { body?: unknown }, limits: BodyLimits): Body | Promise<Body> {
  // An application that this node is mounted in may have parsed it already.
  if (req.body !== undefined && req.readableEnded) {
    const fault = shapeFaultOf(req.body, limits);
    return fault ? { outcome: fault } : { outcome: 'parsed', value: req.body };
  }
  // Said, not waited for: what has been read does not come again.
  if (req.readableEnded) throw new Error('the body was read before this node, and nothing is left of it in `req.body`');
  return readBytes(req, limits);
}

function readBytes(req: IncomingMessage, limits: BodyLimits): Promise<Body> {
  const { maxBytes } = limits;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onAborted = (): void => resolve({ outcome: 'aborted' });
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (size > maxBytes + DRAIN_BYTES) {
        req.pause();
        resolve({ outcome: 'too-large' });
      }
    });
    req.on('end', () => {
      if (size > maxBytes) resolve({ outcome: 'too-large' });
      else resolve(parseJson(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), limits));
    });
    req.on('error', onAborted);
    // After the end as well, when it says nothing new.
    req.on('close', onAborted);
  });
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Buffer, limits: BodyLimits): Body {
  try {
    const text = decoder.decode(bytes);
    const { fault, members } = scanJson(text, limits);
    if (fault) return { outcome: fault };
    const value: unknown = JSON.parse(text);
    return hasTwice(value, members) ? { outcome: 'given-twice' } : { outcome: 'parsed', value };
  } catch {
    return { outcome: 'not-json' };
  }
}
