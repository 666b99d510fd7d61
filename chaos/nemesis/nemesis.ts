/**
 * Breaks the world by a schedule that the seed decides: which fault, where, after how long a rest. One fault at a time
 * of those that take something away, and beside them, in a lane of their own, connections of clients that break.
 *
 * Every kind comes once before any comes again, so that a short run shows as many as it has time for.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../../test/streams/chance.js';
import type { Stage } from '../clients/stage.js';
import type { World } from '../world.js';
import { FAULTS, type FaultKind } from './faults.js';

export interface NemesisOptions {
  readonly world: World;
  readonly stage: Stage;
  readonly chance: Chance;
  readonly leaseMs: number;
  /** Kinds to choose from, by name; all of them by default. */
  readonly only?: readonly string[] | undefined;
  readonly restMs?: readonly [number, number];
}

/** The order in which the kinds come. The same seed gives the same one. */
export function schedule(chance: Chance, kinds: readonly FaultKind[]): () => FaultKind {
  let left: FaultKind[] = [];
  return () => {
    if (left.length === 0) left = [...kinds];
    return left.splice(chance.between(0, left.length - 1), 1)[0] as FaultKind;
  };
}

export async function runNemesis(options: NemesisOptions): Promise<void> {
  const { world, stage, chance, leaseMs, only, restMs = [1500, 4000] } = options;
  const kinds = FAULTS.filter(({ kind }) => only?.includes(kind) ?? true);
  const unknown = only?.filter((name) => !FAULTS.some(({ kind }) => kind === name)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no fault named ${unknown.join(', ')}`);
  const next = schedule(chance.fork(), kinds);
  while (!stage.over) {
    await pause(chance.between(...restMs));
    if (stage.over) return;
    const kind = next();
    const place = chance.pick(world.places);
    await strike(kind, { world, stage, place, chance: chance.fork(), leaseMs });
  }
}

async function strike(kind: FaultKind, strike: Parameters<FaultKind['strike']>[0]): Promise<void> {
  const { history } = strike.stage;
  const { aimed, storeAway, takesNodes } = kind;
  const target = aimed ? strike.place.name : undefined;
  const fault = {
    type: 'fault',
    fault: randomUUID().slice(0, 8),
    kind: kind.kind,
    target,
    storeAway,
    takesNodes,
  } as const;
  history.add({ ...fault, phase: 'begin' });
  try {
    await kind.strike(strike);
  } finally {
    history.add({ ...fault, phase: 'end' });
  }
}
