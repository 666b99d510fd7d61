/** One run: a world, clients, a nemesis, and what came of it. */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Chance } from '../test/streams/chance.js';
import { Stage } from './clients/stage.js';
import { type Entry, History } from './history.js';
import { runNemesis } from './nemesis/nemesis.js';
import { startWorkload, type Workload } from './workload.js';
import { World } from './world.js';

export interface RunOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly clients: number;
  readonly leaseMs: number;
  /** A build with a planted fault, and its name. */
  readonly dist?: string | undefined;
  readonly plant?: string | undefined;
  /** Kinds of faults, by name; all by default. */
  readonly faults?: readonly string[] | undefined;
  readonly restMs?: readonly [number, number];
  /** Where the history is written while it happens. */
  readonly file?: string | undefined;
}

/** After the last fault: long enough for leases, recovery, renewals and resumption. */
const GRACE_MS = 25_000;
const MEMORY_EACH_MS = 5000;
const PULSE_MS = 100;
const STANDSTILL_MS = 500;

export async function run(options: RunOptions): Promise<readonly Entry[]> {
  const { seed, minutes, leaseMs, plant } = options;
  const chance = new Chance(seed);
  const luck = chance.fork();
  const world = await World.start({
    dist: options.dist,
    leaseMs,
    persistence: 'always',
    // Off from each other by more than any deadline of the fleet, and than a change may take to be heard of.
    skewMs: [0, chance.between(-120_000, -60_000), chance.between(60_000, 120_000)],
    chance: () => luck.next(),
  });
  try {
    const history = new History(options.file);
    history.add({ type: 'run', seed, minutes, leaseMs, plant });
    const stage = new Stage(world.url, history);
    const workload = startWorkload({ world, stage, chance: chance.fork(), clients: options.clients });
    const nemesis = runNemesis({
      world,
      stage,
      chance: chance.fork(),
      leaseMs,
      only: options.faults,
      ...(options.restMs && { restMs: options.restMs }),
    });
    const pulse = feelPulse(history);
    const watch = setInterval(() => void recordMemory(world, history).catch(() => undefined), MEMORY_EACH_MS);
    await Promise.race([pause(minutes * 60_000), nemesis]);
    // What is being broken is mended first: from then on everything has to come to its end.
    stage.finish(Number.POSITIVE_INFINITY);
    await nemesis;
    clearInterval(watch);
    stage.finish(GRACE_MS);
    await conclude(world, stage, workload);
    clearInterval(pulse);
    return history.entries;
  } finally {
    await world.stop();
  }
}

async function conclude(world: World, stage: Stage, workload: Workload): Promise<void> {
  const { history } = stage;
  // The breakers of all nodes have closed when this is over.
  await pause(2000);
  await workload.noter.conclude();
  await Promise.race([workload.settled, pause(GRACE_MS)]);
  // A little more, for what should not come and does.
  stage.finish(1500);
  await workload.over;
  for (const effect of await world.effects()) history.add(effect);
  stage.finish(GRACE_MS);
  await readTallies(history, workload);
  await lookForLeftovers(world, history);
}

/** Asks each session that still lives for what it remembers of its calls. */
async function readTallies(history: History, { sessions }: Workload): Promise<void> {
  for (const session of sessions) {
    const ops = history.entries.flatMap((entry) =>
      entry.type === 'call' && entry.session === session.id && entry.tool === 'effect' ? [entry.op] : [],
    );
    await Promise.all(
      ops.slice(-50).map(async (op) => {
        const value = await session.tally(op);
        if (value !== undefined) history.add({ type: 'tally', op, session: session.id, value });
      }),
    );
  }
}

async function lookForLeftovers(world: World, history: History): Promise<void> {
  const deleted = history.entries.flatMap((entry) =>
    entry.type === 'session' && entry.phase === 'deleted' ? [entry.session] : [],
  );
  const [all = []] = await world.store.ask<string[]>(['KEYS', '*session:*']);
  for (const session of deleted) {
    const keys = all.filter((key) => key.includes(session));
    if (keys.length > 0) history.add({ type: 'leftover', session, keys });
  }
}

/**
 * A machine that runs other things as well may give nobody the processor for a while: then nodes miss their deadlines and
 * leases through no fault of theirs. This process notices by itself, and the history says so.
 */
function feelPulse(history: History): NodeJS.Timeout {
  let last = history.now;
  let standstills = 0;
  return setInterval(() => {
    const { now } = history;
    if (now - last > PULSE_MS + STANDSTILL_MS) {
      standstills += 1;
      const kind = 'the machine stood still';
      const fault = { type: 'fault', fault: `still-${standstills}`, kind, storeAway: true, takesNodes: 1 } as const;
      history.add({ ...fault, phase: 'begin' }, last);
      history.add({ ...fault, phase: 'end' });
    }
    last = now;
  }, PULSE_MS);
}

async function recordMemory(world: World, history: History): Promise<void> {
  const sizes = await Promise.all(
    world.places.map(async ({ node }) => {
      if (!node) return 0;
      const status = await readFile(`/proc/${node.pid}/status`, 'utf8').catch(() => '');
      return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    }),
  );
  const [info = ''] = await world.store.ask<string>(['INFO', 'memory']);
  const redis = Math.round((Number(/used_memory:(\d+)/.exec(info)?.[1] ?? 0) / 1024 / 1024) * 10) / 10;
  history.add({ type: 'memory', nodes: sizes.filter((size) => size > 0), redis });
}
