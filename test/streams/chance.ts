/**
 * Chance that can be had again: everything random in a trial comes from one seed, and a failure names it.
 *
 * `ANYNODE_SEED` sets the seed. What processes and sockets do meanwhile is not in its power, so the same seed makes the
 * same choices, not the same run.
 */
import { randomInt } from 'node:crypto';

export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, and without, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)] as T;
  }

  /** For something that runs beside others: its choices do not depend on who comes first. */
  fork(): Chance {
    return new Chance(this.between(0, 2 ** 32 - 1));
  }
}

/** Runs a trial; what it throws says with which seed. */
export async function withChance(trial: (chance: Chance) => Promise<void>): Promise<void> {
  const seed = Number(process.env.ANYNODE_SEED ?? randomInt(2 ** 31));
  try {
    await trial(new Chance(seed));
  } catch (error) {
    // In front: what follows the first colon of an assertion's message is not always printed.
    if (error instanceof Error) error.message = `ANYNODE_SEED=${seed}: ${error.message}`;
    throw error;
  }
}
