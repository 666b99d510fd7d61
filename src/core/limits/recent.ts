/** Names that were noted a short while ago. A hint and nothing more: bounded, and forgotten without notice. */

const KEPT_MS = 5000;
const KEPT = 1000;

export class Recent {
  readonly #noted = new Map<string, number>();

  note(name: string): void {
    this.#noted.delete(name);
    this.#noted.set(name, performance.now() + KEPT_MS);
    for (const oldest of this.#noted.keys()) {
      if (this.#noted.size <= KEPT) break;
      this.#noted.delete(oldest);
    }
  }

  has(name: string): boolean {
    const until = this.#noted.get(name);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#noted.delete(name);
    return false;
  }
}
