/** What is asked of Redis, as it answers. Not here: what is right and wrong about it. */
export interface RedisFacts {
  /** `INFO`, by name. */
  readonly info: Readonly<Record<string, string>>;
  /** `CONFIG GET`; undefined: the server refuses that, as managed ones do. */
  readonly config: Readonly<Record<string, string>> | undefined;
  readonly pingsMs: readonly number[];
  /** Nodes registered under the prefix. */
  readonly nodes: number;
}
