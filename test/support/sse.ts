/**
 * A strict parser for server-sent events: what a lenient client forgives is a fault here.
 *
 * Follows the HTML standard (9.2.6) for line ends, comments and fields. On top of it, it throws on bytes that are not
 * UTF-8, on fields the standard does not know, on an id with NUL, on a retry that is no number, and on a stream that
 * ends within an event.
 */
export interface SseEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  /** Undefined: no `data` line at all. Empty: a `data` line without content (the priming event). */
  readonly data: string | undefined;
  readonly retry: number | undefined;
  /** Comment lines since the event before. */
  readonly comments: readonly string[];
}

interface Draft {
  id?: string;
  event?: string;
  data?: string;
  retry?: number;
  comments: string[];
  touched: boolean;
}

export class SseParser {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #onEvent: (event: SseEvent) => void;
  #rest = '';
  #skipLf = false;
  #draft: Draft = { comments: [], touched: false };

  constructor(onEvent: (event: SseEvent) => void) {
    this.#onEvent = onEvent;
  }

  push(chunk: Uint8Array): void {
    this.#feed(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The stream is over. Throws where it was cut within an event. */
  end(): void {
    this.#feed(this.#decoder.decode());
    if (this.#rest !== '' || this.#draft.touched) throw new Error(`stream cut within an event: ${this.#rest}`);
  }

  #feed(text: string): void {
    for (const char of text) {
      if (char === '\n' && this.#skipLf) {
        this.#skipLf = false;
        continue;
      }
      this.#skipLf = char === '\r';
      if (char !== '\n' && char !== '\r') {
        this.#rest += char;
        continue;
      }
      const line = this.#rest;
      this.#rest = '';
      this.#line(line);
    }
  }

  #line(line: string): void {
    const draft = this.#draft;
    if (line === '') {
      if (draft.touched || draft.comments.length > 0) this.#dispatch();
      return;
    }
    if (line.startsWith(':')) {
      draft.comments.push(line.slice(1).trim());
      return;
    }
    draft.touched = true;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') draft.data = draft.data === undefined ? value : `${draft.data}\n${value}`;
    else if (field === 'event') draft.event = value;
    else if (field === 'id' && !value.includes('\0')) draft.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) draft.retry = Number(value);
    else throw new Error(`not a field of server-sent events: ${JSON.stringify(line.slice(0, 200))}`);
  }

  #dispatch(): void {
    const { id, event, data, retry, comments } = this.#draft;
    this.#draft = { comments: [], touched: false };
    this.#onEvent({ id, event, data, retry, comments });
  }
}
