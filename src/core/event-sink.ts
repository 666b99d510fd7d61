/** An open SSE response, as the core sees it. */
export interface SseEvent {
  readonly id?: string;
  /** Event type; unset: `message`. */
  readonly event?: string;
  readonly data: string;
}

export interface EventSink {
  /** Names this response in the lease of the stream that it sends. */
  readonly connectionId: string;
  readonly closed: boolean;
  /** More waits for the client than it should: send nothing now, and go on when `onDrain` says so. */
  readonly congested: boolean;
  send(event: SseEvent): void;
  /** Calls the listener once, when the client has read what was waiting. A later one takes the place of an earlier one. */
  onDrain(listener: () => void): void;
  /** Cuts a client off that has not read for long; the log keeps the rest. */
  cutIfStuck(): void;
  /** Tells the client when to come back after this connection. */
  retry(ms: number): void;
  /** Writes a comment if nothing else was written for a while. */
  keepAlive(): void;
  end(): void;
  /** Called once when the response is over, whoever ended it. */
  onClose(listener: () => void): void;
}
