/**
 * One log for the whole fleet of what changed: lists and resources. Each stream that wants changes reads this log from
 * its own position, so a change costs one write however many sessions there are.
 */
export type Change =
  | { readonly kind: 'tools' | 'prompts' | 'resources' }
  | { readonly kind: 'resource'; readonly uri: string };

export interface ChangeEntry {
  /** `<milliseconds>-<sequence>`, growing. */
  readonly position: string;
  readonly change: Change;
}

export interface ChangeLog {
  /** Stores a change and tells every node. Ordered over the fleet; kept for `streamTtlMs`. Returns its position. */
  append(change: Change): Promise<string>;
  /**
   * Changes after a position, oldest first. `complete` is false where some after it are gone already, or may be: also for a
   * position that the log has not come to, which it had before it lost something.
   */
  read(after: string, limit: number): Promise<{ readonly complete: boolean; readonly entries: readonly ChangeEntry[] }>;
  /** Position of the newest change, kept or not; `0-0` where there never was one (or long ago). */
  latest(): Promise<string>;
}
