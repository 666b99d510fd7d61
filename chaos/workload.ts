/**
 * What clients do all the time: every kind of client, each with a chance of its own, so that what one does depends on
 * the seed and not on the others. A client whose session cannot be opened tries again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../test/streams/chance.js';
import { LegacySession, type ToolCall } from './clients/legacy-session.js';
import { ModernCaller } from './clients/modern-caller.js';
import { SDK_KINDS, SdkClient } from './clients/sdk-client.js';
import { SseSession } from './clients/sse-session.js';
import type { Stage } from './clients/stage.js';
import { Wire } from './clients/wire.js';
import { Noter } from './noter.js';
import { USERS, type World } from './world.js';

export const WATCHED = 'chaos://watched';

export interface WorkloadOptions {
  readonly world: World;
  readonly stage: Stage;
  readonly chance: Chance;
  /** How many of each kind of client. */
  readonly clients: number;
}

export interface Workload {
  readonly over: Promise<void>;
  /** Every call has come to its end, and every session has its last note; streams may be open still. */
  readonly settled: Promise<void>;
  /** Those that live until the end, for what is asked of them then. */
  readonly sessions: readonly LegacySession[];
  readonly noter: Noter;
}

function aCall(chance: Chance): ToolCall {
  const ms = chance.pick([0, 100, 500, 1500, 3000]);
  const work = { ms, count: chance.between(1, 8) };
  const kinds: ToolCall[] = [
    { tool: 'effect', repeatable: false, args: work },
    { tool: 'effect', repeatable: false, args: { ms: 0, count: 1 } },
    { tool: 'work', repeatable: true, args: work },
    { tool: 'work', repeatable: true, args: { ms: 1500, count: 10 } },
    { tool: 'quick', repeatable: true },
    { tool: 'ask', repeatable: true },
    { tool: 'ask', repeatable: true },
    { tool: 'touch', repeatable: true, args: { uri: WATCHED } },
  ];
  return chance.pick(kinds);
}

export function startWorkload({ world, stage, chance, clients }: WorkloadOptions): Workload {
  const sessions: LegacySession[] = [];
  const noter = new Noter(world, stage);
  const lanes: Promise<void>[] = [];
  for (let i = 0; i < clients; i += 1) {
    const user = USERS[i % USERS.length] as string;
    const wire = new Wire(stage, user);
    lanes.push(
      longSession(wire, chance.fork(), { noter, sessions }),
      shortSessions(wire, chance.fork()),
      sseSession(wire, chance.fork(), noter),
      modernCalls(wire, chance.fork()),
    );
    // All kinds in turn, both users over the run.
    const kind = SDK_KINDS[i % SDK_KINDS.length];
    const other = SDK_KINDS[(i + 2) % SDK_KINDS.length];
    for (const sdk of [kind, other]) if (sdk) lanes.push(sdkCalls(sdk, stage, chance.fork()));
  }
  return {
    over: Promise.all(lanes).then(() => undefined),
    get settled() {
      return untilSettled(stage, noter);
    },
    sessions,
    noter,
  };
}

async function untilSettled({ history }: Stage, noter: Noter): Promise<void> {
  for (;;) {
    const open = new Set<string>();
    const last = noter.newest;
    for (const entry of history.entries) {
      if (entry.type === 'call') open.add(entry.op);
      else if (entry.type === 'done') open.delete(entry.op);
      else if (entry.type === 'delivery' && entry.what === 'note' && entry.session !== undefined) {
        if (entry.number === last.get(entry.session)) last.delete(entry.session);
      }
    }
    if (open.size === 0 && last.size === 0) return;
    await pause(200);
  }
}

async function persistently<T>(
  stage: Stage,
  chance: Chance,
  open: () => Promise<T | undefined>,
): Promise<T | undefined> {
  while (!stage.over) {
    const opened = await open();
    if (opened !== undefined) return opened;
    await stage.patience(chance, 600);
  }
  return undefined;
}

/** Calls one after the other until the run is over. */
async function calls(stage: Stage, chance: Chance, call: (call: ToolCall) => Promise<void>): Promise<void> {
  while (!stage.over) {
    await call(aCall(chance));
    await pause(chance.between(20, 400));
  }
}

async function longSession(
  wire: Wire,
  chance: Chance,
  { noter, sessions }: { noter: Noter; sessions: LegacySession[] },
): Promise<void> {
  const { stage } = wire;
  const session = await persistently(stage, chance, () => LegacySession.open(wire, chance.fork()));
  if (!session) return;
  sessions.push(session);
  const main = session.readMain();
  noter.add(session.id);
  await session.watch(WATCHED);
  const drops = (async () => {
    while (!stage.over) {
      await pause(chance.between(1000, 5000));
      session.dropMain();
      if (chance.next() < 0.3) await session.plain('logging/setLevel', { level: chance.pick(['debug', 'error']) });
    }
  })();
  // Several at once, so that answers and questions of one session can be taken for each other's.
  await Promise.all([1, 2, 3].map(() => calls(stage, chance.fork(), (call) => session.call(call))));
  await drops;
  await main;
}

/** Sessions that are ended in the middle of everything, again and again. */
async function shortSessions(wire: Wire, chance: Chance): Promise<void> {
  const { stage } = wire;
  while (!stage.over) {
    const session = await persistently(stage, chance, () => LegacySession.open(wire, chance.fork()));
    if (!session) return;
    const main = session.readMain();
    await session.call(aCall(chance));
    await cancelledCall(session, chance);
    const running = [
      session.call({ tool: 'late_effect', repeatable: false, args: { ms: 1200, count: 2 } }),
      session.call({ tool: 'work', repeatable: true, args: { ms: 2000, count: 10 } }),
    ];
    await pause(chance.between(300, 900));
    // Writes of the session that arrive together with its end.
    const level = (): Promise<boolean> => session.plain('logging/setLevel', { level: 'info' });
    running.push(...[1, 2, 3, 4].map(() => level().then(() => undefined)));
    await pause(chance.between(0, 12));
    await session.delete();
    await Promise.all(running);
    await main;
    await pause(chance.between(100, 1000));
  }
}

async function cancelledCall(session: LegacySession, chance: Chance): Promise<void> {
  await session.call({ tool: 'work', repeatable: true, args: { ms: 3000, count: 6 } }, (requestId, op) => {
    setTimeout(
      () => {
        session.cancelled.add(op);
        void session.insist({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
      },
      chance.between(100, 1200),
    );
  });
}

async function sseSession(wire: Wire, chance: Chance, noter: Noter): Promise<void> {
  const { stage } = wire;
  const session = await persistently(stage, chance, () => SseSession.open(wire, chance.fork()));
  if (!session) return;
  noter.add(session.id);
  const drops = (async () => {
    while (!stage.over) {
      await pause(chance.between(2000, 7000));
      session.drop();
    }
  })();
  await Promise.all([1, 2].map(() => calls(stage, chance.fork(), (call) => session.call(call))));
  await drops;
}

async function modernCalls(wire: Wire, chance: Chance): Promise<void> {
  const caller = new ModernCaller(wire, chance.fork());
  const listening = caller.listen(WATCHED);
  await calls(wire.stage, chance, (call) => caller.call(call));
  await listening;
}

async function sdkCalls(kind: (typeof SDK_KINDS)[number], stage: Stage, chance: Chance): Promise<void> {
  const user = chance.pick(USERS);
  while (!stage.over) {
    const client = await persistently(stage, chance, () => SdkClient.connect(kind, stage, user));
    if (!client) return;
    for (let left = chance.between(3, 12); left > 0 && !stage.over && client.hasItsSession; left -= 1) {
      await client.call(aCall(chance));
      await pause(chance.between(20, 400));
    }
    await client.close();
  }
}
