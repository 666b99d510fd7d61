/** How many requests somebody may still send, counted over the whole fleet. */

export interface Permits {
  /** 0: the window has given out all it has. Nothing was stored for that. */
  readonly granted: number;
  /** How much longer they are good for, from the moment the store was asked; then the window is over. */
  readonly forMs: number;
  /** Tells one window of this counter from the next. */
  readonly window: string;
}

/**
 * Counters of requests in windows. A node takes permits in shares and gives them out by itself, so that most requests
 * need no command of their own.
 */
export interface Rates {
  /**
   * Takes `wanted` permits (fewer where fewer are left) or one 32nd of what is left, whichever is more. So shares are
   * small where few are left, and a limit below 64 is given out one by one: what a node does not use is lost until the
   * window ends.
   *
   * Never more than `limit` are given out in a window, over all nodes. A window begins with the first permit that is
   * taken when none is open, and lasts `windowMs`.
   */
  take(counter: string, wanted: number, limit: number, windowMs: number): Promise<Permits>;
}
