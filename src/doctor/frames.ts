/** Server-sent events as they stand on the wire, comments and `retry` included: the doctor reads what clients skip. */

export interface Frame {
  readonly kind: 'event' | 'comment' | 'retry';
  readonly event?: string;
  readonly data: string;
  /** Since the request was begun. */
  readonly atMs: number;
}

export class FrameReader {
  readonly #onFrame: (frame: Omit<Frame, 'atMs'>) => void;
  #rest = '';

  constructor(onFrame: (frame: Omit<Frame, 'atMs'>) => void) {
    this.#onFrame = onFrame;
  }

  push(text: string): void {
    const blocks = (this.#rest + text).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const frame = parse(block);
      if (frame) this.#onFrame(frame);
    }
  }
}

function parse(block: string): Omit<Frame, 'atMs'> | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon === 0) fields.set('comment', line.slice(1).trim());
    else if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }
  const event = fields.get('event');
  const data = fields.get('data');
  if (data !== undefined) return { kind: 'event', data, ...(event !== undefined && { event }) };
  if (fields.has('retry')) return { kind: 'retry', data: fields.get('retry') ?? '' };
  if (fields.has('comment')) return { kind: 'comment', data: fields.get('comment') ?? '' };
  return undefined;
}
