/**
 * The audit trail: who opened a session, how it ended, and who was refused what. Lines of the log at level `info`, told
 * from the others by their field `audit`. Sessions by their hash, principals by name; never a token, an id or an argument.
 *
 * Refusals are anybody's to cause, so they are budgeted: beyond it they are counted, and the count stands in the next
 * line that is written.
 */
import { hashId, type Logger } from './logger.js';

export type SessionEnd = 'deleted' | 'expired' | 'max_age';

export interface Refusal {
  readonly reason: string;
  readonly status: number;
  readonly method: string;
  /** The client's address as this node sees it; a proxy's where one stands between. */
  readonly address: string | undefined;
}

/** Lines about refusals: so many at once, and as many more each second. */
const BURST = 20;
const PER_SECOND = 5;

export class Audit {
  readonly #logger: Logger;
  #budget = BURST;
  #refilled = performance.now();
  #unwritten = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  opened(sessionId: string, principal: string, transport: 'streamable' | 'sse'): void {
    const who = principal === '' ? 'anonymous' : principal;
    this.#logger.info({ audit: 'session_opened', session: hashId(sessionId), principal: who, transport }, 'audit');
  }

  ended(sessionId: string, reason: SessionEnd): void {
    this.#logger.info({ audit: 'session_ended', session: hashId(sessionId), reason }, 'audit');
  }

  refused(refusal: Refusal): void {
    const now = performance.now();
    this.#budget = Math.min(BURST, this.#budget + ((now - this.#refilled) / 1000) * PER_SECOND);
    this.#refilled = now;
    if (this.#budget < 1) {
      this.#unwritten += 1;
      return;
    }
    this.#budget -= 1;
    const unwritten = this.#unwritten;
    this.#unwritten = 0;
    this.#logger.info({ audit: 'refused', ...refusal, ...(unwritten > 0 && { unwritten }) }, 'audit');
  }
}
