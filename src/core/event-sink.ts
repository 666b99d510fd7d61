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
  /** Writes an event. A client that does not read is cut off instead of filling memory; the log keeps the rest. */
  send(event: SseEvent): void;
  /** Tells the client when to come back after this connection. */
  retry(ms: number): void;
  /** Writes a comment if nothing else was written for a while. */
  keepAlive(): void;
  end(): void;
  /** Called once when the response is over, whoever ended it. */
  onClose(listener: () => void): void;
}
