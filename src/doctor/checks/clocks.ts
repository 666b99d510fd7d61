/** Clocks of the nodes against ours and against each other. */
import { type Finding, ok, problem, seconds, skipped, warning } from '../finding.js';

const CHECK = 'clocks';
/** States and leases are judged in seconds; below this no difference matters. */
const TOLERABLE_MS = 2000;
const HARMFUL_MS = 30_000;
const SLOW_MS = 5000;
const NTP = { anynode: 'keep the clocks of the machines by NTP (chrony, systemd-timesyncd)' };

export interface ClockReading {
  readonly nodeId: string;
  /** What the node's clock said, somewhen between `askedAt` and `answeredAt` of ours. */
  readonly at: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

interface Offset {
  readonly nodeId: string;
  readonly low: number;
  readonly high: number;
}

/** Bounds, not guesses: a slow answer must not look like a wrong clock. */
export function judgeClocks(readings: readonly ClockReading[]): Finding[] {
  const offsets = new Map<string, Offset>();
  for (const { nodeId, at, askedAt, answeredAt } of readings) {
    if (Number.isNaN(at) || answeredAt - askedAt > SLOW_MS) continue;
    const former = offsets.get(nodeId);
    const low = Math.max(at - answeredAt, former?.low ?? Number.NEGATIVE_INFINITY);
    const high = Math.min(at - askedAt, former?.high ?? Number.POSITIVE_INFINITY);
    offsets.set(nodeId, { nodeId, low, high });
  }
  const all = [...offsets.values()];
  if (all.length === 0) return [skipped(CHECK, 'no answer was quick enough to judge a clock by')];
  /** By how much it is off for certain. */
  const certain = ({ low, high }: Offset): number => Math.max(low, -high, 0);
  const apart = Math.max(...all.flatMap((a) => all.map((b) => a.low - b.high)), 0);
  const worst = all.reduce((a, b) => (certain(b) > certain(a) ? b : a));
  if (apart > TOLERABLE_MS) {
    const seen = `the clocks of the nodes are ${seconds(apart)} apart at least`;
    return [apart > HARMFUL_MS ? problem(CHECK, seen, NTP) : warning(CHECK, seen, NTP)];
  }
  if (certain(worst) > TOLERABLE_MS) {
    return [warning(CHECK, `the nodes' clocks are ${seconds(certain(worst))} off this machine's at least`, NTP)];
  }
  return [ok(CHECK, `${all.length} node(s) agree with each other and with this machine`)];
}
