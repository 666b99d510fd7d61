/**
 * What every suite of the contract works with: two nodes' stores on the same data, short lives, and records of what a
 * node was told.
 *
 * Two stores may have different limits. That makes tests of life times independent of how fast the machine is: what is
 * written through the short-lived store runs out, what is renewed through the other does not, and the end of the one is
 * the moment to look at the other.
 * Not here: which adapter it is; see the `*.test.ts` beside.
 */
import { randomUUID } from 'node:crypto';
import type { Letter, Signal, WakeUp } from '../../src/core/ports/broker.js';
import type { ChangeEntry } from '../../src/core/ports/change-log.js';
import type { SessionRecord } from '../../src/core/ports/session-store.js';
import type { Store, StoreLimits } from '../../src/core/ports/store.js';
import { DEADLINE_MS, eventually, within } from '../support/eventually.js';

export interface Harness {
  readonly stores: readonly [Store, Store];
  /** Moves the clock, where the adapter has one of its own; others live in real time. */
  advance?(ms: number): void;
  close(): Promise<void>;
}

/** Opens two stores on fresh common data; limits of the second are those of the first unless they are given. */
export type OpenHarness = (first?: Partial<StoreLimits>, second?: Partial<StoreLimits>) => Promise<Harness>;

/** Nothing ends by itself within a test. */
export const LONG_LIMITS: StoreLimits = {
  sessionTtlMs: 120_000,
  sessionMaxAgeMs: 0,
  streamTtlMs: 120_000,
  streamMaxEvents: 1_000,
  nodeLeaseMs: 120_000,
  stateMaxBytes: 0,
  stateMaxKeys: 0,
};

/** A suite whose tests get harnesses that are closed after each of them. */
export function describeContract(title: string, open: OpenHarness, tests: (open: OpenHarness) => void): void {
  describe(title, () => {
    const opened: Harness[] = [];
    afterEach(async () => {
      for (const harness of opened.splice(0)) await harness.close();
    });
    tests(async (first, second) => {
      const harness = await open(first, second);
      opened.push(harness);
      return harness;
    });
  });
}

/** Waits for what time brings about. */
export function inTime(harness: Harness, check: () => Promise<boolean>, what: string): Promise<true> {
  const moved = harness.advance !== undefined;
  return eventually(
    async () => {
      harness.advance?.(20);
      return check();
    },
    { what, intervalMs: moved ? 0 : 20 },
  );
}

export function makeRecord(changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    sessionId: randomUUID(),
    transportType: 'streamable',
    createdAt: Date.now(),
    changesPosition: '1700000000000-7',
    protocolVersion: '2025-11-25',
    initialize: '{"protocolVersion":"2025-11-25"}',
    clientInfo: '{"name":"contract","version":"1"}',
    principal: '',
    initialized: false,
    logLevel: '',
    ...changes,
  };
}

/** Reading state renews nothing, so that asking cannot keep alive what is asked for. */
const PROBE = 'probe';

export async function openSession(store: Store, changes: Partial<SessionRecord> = {}): Promise<SessionRecord> {
  const record = makeRecord(changes);
  await store.sessions.create(record, { maxSessions: 0, state: new Map([[PROBE, 'true']]) });
  return record;
}

export async function isGone(store: Store, { sessionId }: SessionRecord): Promise<boolean> {
  return (await store.sessions.getState(sessionId, PROBE)) === undefined;
}

/** Negative where `a` comes first. Written apart from the adapters', which are what is tested here. */
export function compare(a: string, b: string): number {
  const [aTime = 0n, aSequence = 0n] = a.split('-').map(BigInt);
  const [bTime = 0n, bSequence = 0n] = b.split('-').map(BigInt);
  return Number(aTime - bTime || aSequence - bSequence);
}

export const timesOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What a node's broker was told, in order, with a way to wait for it. */
export interface ListeningNode {
  readonly token: string;
  readonly letters: Letter[];
  readonly wakeUps: WakeUp[];
  readonly signals: Signal[];
  readonly changes: { readonly previous: string; readonly entry: ChangeEntry }[];
  /** Looks again whenever the node was told something. */
  until(check: () => boolean, what: string): Promise<void>;
}

export interface ListenOptions {
  readonly token?: string;
  /** Called in the handler, after what was told is on record. */
  readonly onTold?: () => void;
}

/**
 * Returns when whatever a node could still be told of before has arrived: several signals, one after the other, have gone
 * the whole way to a node that listens. For the proof that something does not arrive.
 */
export async function settle(store: Store, listener: ListeningNode): Promise<void> {
  for (const i of timesOf(3)) {
    const sessionId = `settled ${i} ${randomUUID()}`;
    await store.broker.signal({ kind: 'initialized', sessionId });
    const isHere = () => listener.signals.some((signal) => signal.sessionId === sessionId);
    await listener.until(isHere, 'a signal that follows');
  }
}

/** A living node (its lease is claimed) that listens. */
export async function listen(
  store: Store,
  { token = randomUUID(), onTold }: ListenOptions = {},
): Promise<ListeningNode> {
  const waiting = new Set<() => void>();
  const told = <T>(list: T[], item: T): void => {
    list.push(item);
    onTold?.();
    for (const look of waiting) look();
  };
  const node: ListeningNode = {
    token,
    letters: [],
    wakeUps: [],
    signals: [],
    changes: [],
    async until(check, what) {
      let look = () => {};
      const seen = new Promise<void>((resolve) => {
        look = () => check() && resolve();
      });
      waiting.add(look);
      look();
      await within(seen, what, DEADLINE_MS).finally(() => waiting.delete(look));
    },
  };
  if (!(await store.nodes.claim(`node-${token}`, token))) throw new Error(`the name of node ${token} is taken`);
  await store.broker.start(token, {
    onLetter: (letter) => told(node.letters, letter),
    onWakeUp: (wakeUp) => told(node.wakeUps, wakeUp),
    onSignal: (signal) => told(node.signals, signal),
    onChange: (previous, entry) => told(node.changes, { previous, entry }),
    onGap: () => {},
  });
  return node;
}
