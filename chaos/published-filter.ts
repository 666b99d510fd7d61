/**
 * Takes published messages out of what Redis sends to a subscriber, as if they had been lost on the way.
 *
 * Only whole frames of the form `[message, channel, payload]` (RESP 2 arrays and RESP 3 pushes) are candidates;
 * everything else passes byte by byte as it came, confirmations of subscriptions among it. A connection that never
 * carries such a frame is not held up: the bytes of replies are looked at only as far as their first line.
 */
const CR = 13;
const HEADS = ['*3\r\n$7\r\nmessage\r\n', '>3\r\n$7\r\nmessage\r\n'].map((text) => Buffer.from(text));

export class PublishedFilter {
  readonly #drops: () => boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor(drops: () => boolean) {
    this.#drops = drops;
  }

  pass(chunk: Buffer): Buffer {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const out: Buffer[] = [];
    for (;;) {
      const frame = startsPublished(bytes);
      if (frame === 'no') {
        // Not at the beginning of a published message: pass on up to where the next one may begin.
        const next = nextHead(bytes);
        out.push(bytes.subarray(0, next));
        bytes = bytes.subarray(next);
        if (bytes.length === 0 || startsPublished(bytes) === 'perhaps') break;
        continue;
      }
      const end = frame === 'yes' ? endOfPublished(bytes) : -1;
      if (end === -1) break;
      if (!this.#drops()) out.push(bytes.subarray(0, end));
      bytes = bytes.subarray(end);
      if (bytes.length === 0) break;
    }
    this.#rest = Buffer.from(bytes);
    return Buffer.concat(out);
  }
}

function startsPublished(bytes: Buffer): 'yes' | 'no' | 'perhaps' {
  for (const head of HEADS) {
    const length = Math.min(head.length, bytes.length);
    if (bytes.subarray(0, length).equals(head.subarray(0, length))) return length === head.length ? 'yes' : 'perhaps';
  }
  return 'no';
}

/** Where a head begins, or may begin at the end of what is there; the length where none does. */
function nextHead(bytes: Buffer): number {
  const found = HEADS.map((head) => bytes.indexOf(head, 1)).filter((at) => at > 0);
  if (found.length > 0) return Math.min(...found);
  const longest = (HEADS[0] as Buffer).length;
  for (let at = Math.max(1, bytes.length - longest + 1); at < bytes.length; at += 1) {
    if (startsPublished(bytes.subarray(at)) === 'perhaps') return at;
  }
  return bytes.length;
}

/** -1: not all of it is there yet. */
function endOfPublished(bytes: Buffer): number {
  let at = (HEADS[0] as Buffer).length;
  for (let string = 0; string < 2; string += 1) {
    const line = bytes.indexOf(CR, at);
    if (line === -1 || bytes.length < line + 2) return -1;
    const length = Number(bytes.subarray(at + 1, line).toString('latin1'));
    at = line + 2 + length + 2;
    if (bytes.length < at) return -1;
  }
  return at;
}
