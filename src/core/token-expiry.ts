/**
 * Ends streams when the token that opened them does. Looked at by the node's clock, so that no stream has a timer; an
 * end is late by one turn at most.
 */
export class TokenExpiry {
  readonly #followed = new Set<{ readonly expiresAt: number; readonly end: () => void }>();

  /** Returns how to stop following. Nothing is followed without an end. */
  follow(expiresAt: number | undefined, end: () => void): () => void {
    if (expiresAt === undefined) return () => {};
    const entry = { expiresAt, end };
    this.#followed.add(entry);
    return () => void this.#followed.delete(entry);
  }

  /** Also for tokens that ran out while the stream was being opened. */
  endExpired(now = Date.now()): void {
    for (const entry of this.#followed) {
      if (entry.expiresAt > now) continue;
      this.#followed.delete(entry);
      entry.end();
    }
  }
}
