/**
 * One limit on requests: so many of each principal (or of each address) in a window, over the whole fleet.
 *
 * A node takes permits from the store in shares and gives them out by itself; the next share is fetched while half of
 * the last one is left, so that under load neither a request nor a refusal waits for the store. Never more than the
 * limit is let through in a window. It may be somewhat less: what a node has taken and nobody there wants is lost.
 *
 * While the store is away each node counts for itself, up to the whole limit: a request that needs nothing of the store
 * is to be served, and one that does will hear of it anyway.
 *
 * Memory is bounded by the number of those that are remembered; whoever was not heard of for longest is forgotten, which
 * costs what was left of a share. No timers: an entry is looked at when its owner comes back.
 */
import type { Rates } from '../ports/rates.js';
import { StoreUnavailable } from '../ports/store.js';

/** Some 200 bytes each. */
const REMEMBERED = 20_000;
/** A share below this is used up so soon that fetching the next one early would only take permits from other nodes. */
const WORTH_FETCHING_EARLY = 8;
/** While the store is away it is asked again this often. The breaker answers for it, so asking costs nothing. */
const LOCAL_MS = 1000;

/** Undefined: let through. Else milliseconds after which it is worth trying again. */
export type Verdict = number | undefined;

interface Entry {
  readonly who: string;
  permits: number;
  /** Until when they are good, by the clock of this process: never later than the store thinks. */
  until: number;
  /** Which window they are of; empty: counted by this node alone. */
  window: string;
  /** There are no more before `until`. */
  exhausted: boolean;
  fetching: boolean;
  /** The next share is fetched when so many are left. */
  low: number;
  readonly waiting: ((verdict: Verdict) => void)[];
  /** Counted by this node alone: what is left, and when that window ends. */
  localLeft: number;
  localEnds: number;
}

export interface RateLimiterOptions {
  readonly rates: Rates;
  /** Requests in a window; 0: no limit. */
  readonly limit: number;
  readonly windowMs: number;
  /** What the counter of somebody is called in the store. */
  readonly counterOf: (who: string) => string;
  /** A fault of ours in the store: it is reported, and counted around. */
  readonly onFault: (error: Error) => void;
  /** Milliseconds, never backwards. */
  readonly now?: () => number;
  readonly remembered?: number;
}

export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #now: () => number;
  readonly #remembered: number;
  /** The one who asked the store longest ago comes first. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#remembered = options.remembered ?? REMEMBERED;
  }

  get on(): boolean {
    return this.#options.limit > 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A promise only where the store has to be asked first. */
  admit(who: string): Verdict | Promise<Verdict> {
    if (this.#options.limit === 0) return undefined;
    const now = this.#now();
    const entry = this.#entries.get(who) ?? this.#remember(who);
    if (now < entry.until) {
      if (entry.permits > 0 && entry.waiting.length === 0) {
        entry.permits -= 1;
        if (entry.permits < entry.low && !entry.fetching) void this.#fetch(entry);
        return undefined;
      }
      if (entry.exhausted) return entry.until - now;
    }
    return new Promise((resolve) => {
      entry.waiting.push(resolve);
      if (!entry.fetching) void this.#fetch(entry);
    });
  }

  #remember(who: string): Entry {
    if (this.#entries.size >= this.#remembered) {
      for (const [name, { waiting }] of this.#entries) {
        if (waiting.length > 0) continue;
        this.#entries.delete(name);
        break;
      }
    }
    const entry: Entry = {
      who,
      permits: 0,
      until: 0,
      window: '',
      exhausted: false,
      fetching: false,
      low: 0,
      waiting: [],
      localLeft: 0,
      localEnds: 0,
    };
    this.#entries.set(who, entry);
    return entry;
  }

  async #fetch(entry: Entry): Promise<void> {
    entry.fetching = true;
    // To the end of the row: those who are active are not forgotten.
    this.#entries.delete(entry.who);
    this.#entries.set(entry.who, entry);
    do {
      const asked = this.#now();
      try {
        const { rates, counterOf, limit, windowMs } = this.#options;
        const share = await rates.take(counterOf(entry.who), Math.max(entry.waiting.length, 1), limit, windowMs);
        if (share.window !== entry.window) entry.permits = 0;
        entry.window = share.window;
        entry.permits += share.granted;
        // From when it was asked, not from when it answered: a window must not last longer here than in the store.
        entry.until = asked + share.forMs;
        entry.exhausted = share.granted === 0;
        entry.low = share.granted < WORTH_FETCHING_EARLY ? 0 : share.granted >> 1;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) this.#options.onFault(error as Error);
        this.#countAlone(entry);
      }
      this.#serve(entry);
    } while (entry.waiting.length > 0);
    entry.fetching = false;
  }

  #countAlone(entry: Entry): void {
    const now = this.#now();
    const { limit, windowMs } = this.#options;
    // What was not used of the last share comes back to where it was taken from.
    if (entry.window === '') entry.localLeft += entry.permits;
    if (now >= entry.localEnds) {
      entry.localLeft = limit;
      entry.localEnds = now + windowMs;
    }
    entry.permits = Math.min(entry.localLeft, Math.max(entry.waiting.length, Math.floor(entry.localLeft / 32), 1));
    entry.localLeft -= entry.permits;
    entry.window = '';
    entry.until = Math.min(entry.localEnds, now + LOCAL_MS);
    entry.exhausted = entry.permits === 0;
    entry.low = 0;
  }

  #serve(entry: Entry): void {
    const { waiting } = entry;
    const now = this.#now();
    // A share that came later than it is good for serves nobody; the next one is asked for.
    if (now >= entry.until && entry.window !== '') {
      entry.permits = 0;
      if (!entry.exhausted) return;
    }
    const served = waiting.splice(0, Math.min(waiting.length, entry.permits));
    entry.permits -= served.length;
    for (const resolve of served) resolve(undefined);
    if (!entry.exhausted) return;
    for (const resolve of waiting.splice(0)) resolve(Math.max(entry.until - now, 1));
  }
}
