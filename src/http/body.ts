/** Reading and parsing the body of a POST: once, bounded in bytes and in depth. */
import type { IncomingMessage } from 'node:http';

/**
 * What is read of a body that is too large before the connection is cut: answering while the client still sends makes
 * many clients see a broken connection instead of the 413.
 */
const DRAIN_BYTES = 32 * 1024 * 1024;
/** Nesting of arrays and objects. Parsing is not the danger, what walks the value afterwards by recursion is. */
const MAX_DEPTH = 256;

export type Body =
  | { readonly outcome: 'parsed'; readonly value: unknown }
  | { readonly outcome: 'too-large' }
  | { readonly outcome: 'not-json' }
  | { readonly outcome: 'too-deep' }
  /** The client went away. */
  | { readonly outcome: 'aborted' };

export async function readJsonBody(req: IncomingMessage & { body?: unknown }, maxBytes: number): Promise<Body> {
  // An application that this node is mounted in may have parsed it already.
  if (req.body !== undefined && req.readableEnded) return { outcome: 'parsed', value: req.body };
  // Said, not waited for: what has been read does not come again.
  if (req.readableEnded) throw new Error('the body was read before this node, and nothing is left of it in `req.body`');
  const bytes = await readBytes(req, maxBytes);
  if (typeof bytes === 'string') return { outcome: bytes };
  return parseJson(bytes);
}

function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer | 'too-large' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (size > maxBytes + DRAIN_BYTES) {
        req.pause();
        resolve('too-large');
      }
    });
    req.once('end', () =>
      resolve(size > maxBytes ? 'too-large' : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
    );
    req.once('error', () => resolve('aborted'));
    req.once('close', () => resolve('aborted'));
  });
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Buffer): Body {
  try {
    const text = decoder.decode(bytes);
    // A text shorter than this cannot be nested so deeply, and most bodies are.
    if (text.length > MAX_DEPTH && isTooDeep(text)) return { outcome: 'too-deep' };
    return { outcome: 'parsed', value: JSON.parse(text) };
  } catch {
    return { outcome: 'not-json' };
  }
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case 0x22: // a string: brackets in it do not count
        for (i += 1; i < text.length && text.charCodeAt(i) !== 0x22; i += 1) if (text.charCodeAt(i) === 0x5c) i += 1;
        break;
      case 0x5b:
      case 0x7b:
        depth += 1;
        if (depth > MAX_DEPTH) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth -= 1;
        break;
    }
  }
  return false;
}
