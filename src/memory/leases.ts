/**
 * Names that somebody holds for a time: node names, node tokens, duties.
 *
 * Few by nature (some for each node), so that looking over all of them at each take is cheaper than any bookkeeping.
 */
export class Leases {
  readonly #leases = new Map<string, { readonly holder: string; readonly until: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a free name or renews one's own. False: somebody else holds it. */
  take(name: string, holder: string, forMs: number): boolean {
    this.#forgetLapsed();
    const current = this.#leases.get(name);
    if (current && current.holder !== holder) return false;
    this.#leases.set(name, { holder, until: this.#now() + forMs });
    return true;
  }

  holderOf(name: string): string | undefined {
    const lease = this.#leases.get(name);
    return lease && lease.until > this.#now() ? lease.holder : undefined;
  }

  /** Gives a name back; ignored where somebody else holds it by now. */
  release(name: string, holder: string): void {
    if (this.#leases.get(name)?.holder === holder) this.#leases.delete(name);
  }

  /** Names that are held. */
  names(): string[] {
    this.#forgetLapsed();
    return [...this.#leases.keys()];
  }

  #forgetLapsed(): void {
    const now = this.#now();
    for (const [name, lease] of this.#leases) if (lease.until <= now) this.#leases.delete(name);
  }
}
