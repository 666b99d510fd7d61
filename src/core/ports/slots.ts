/**
 * Places in a pool of limited size, counted over the whole fleet. A place is leased: one whose holder's node dies comes
 * free by itself.
 */
/** A pool, and how many may hold a place in it; 0: any number. */
export interface Place {
  readonly pool: string;
  readonly limit: number;
}

export interface Slots {
  /** Takes a place for three node leases. False: `limit` others have one. Idempotent for a holder that has one. */
  acquire(pool: string, holder: string, limit: number): Promise<boolean>;
  /** Keeps places that are still needed. One that was lost meanwhile is taken again, beyond the limit if need be. */
  renew(pool: string, holders: readonly string[]): Promise<void>;
  release(pool: string, holder: string): Promise<void>;
}
