/** Two stores on one memory, whose clock a test can move. */
import type { StoreLimits } from '../../src/core/ports/store.js';
import { createMemoryState, createMemoryStore, type MemoryState } from '../../src/memory/index.js';
import { type Harness, LONG_LIMITS } from './harness.js';

export interface MemoryHarness extends Harness {
  readonly state: MemoryState;
  /** What handlers threw. */
  readonly faults: readonly unknown[];
  advance(ms: number): void;
}

export async function openMemory(first: Partial<StoreLimits> = {}, second = first): Promise<MemoryHarness> {
  let moved = 0;
  const faults: unknown[] = [];
  // Starts at the real time, since records carry it.
  const state = createMemoryState({ now: () => Date.now() + moved, onHandlerError: (error) => faults.push(error) });
  const stores = [
    createMemoryStore({ ...LONG_LIMITS, ...first }, state),
    createMemoryStore({ ...LONG_LIMITS, ...second }, state),
  ] as const;
  return {
    state,
    stores,
    faults,
    advance: (ms) => {
      moved += ms;
    },
    async close() {
      for (const store of stores) await store.close();
    },
  };
}
