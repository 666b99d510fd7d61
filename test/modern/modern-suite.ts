/** States its sentences once; the fleet exists only when they run, and other suites use it before and after. */
import type { Fleet } from '../support/fleet.js';
import type { NodeProcess } from '../support/node-process.js';

export type ModernSuite = (fleet: () => Fleet) => void;

/** Every node by its index. */
export const nodesOf = (fleet: Fleet): number[] => fleet.nodes.map((_, index) => index);

export function nodeAt({ nodes }: Fleet, index: number): NodeProcess {
  const node = nodes[index];
  if (!node) throw new Error(`there is no node ${index}`);
  return node;
}

/** Runs `work` for the numbers from 0 to `count`, so many of them at a time, and returns what came of each. */
export async function inTurns<T>(count: number, atOnce: number, work: (turn: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const turn = next++;
      results[turn] = await work(turn);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return results;
}
