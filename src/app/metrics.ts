/**
 * Prometheus metrics of one node. Names are fixed from outside; labels are bounded.
 *
 * A registry for each node: several nodes of one process do not count into each other.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Metrics, REFUSAL_REASONS, type RelayOutcome } from '../core/metrics.js';
import { HeldCounter, HeldHistogram, rowsBy } from './held-metrics.js';
import { sampleNode } from './node-gauges.js';

/** What a node is asked at each scrape. None of it may throw; what needs the store rejects while that is away. */
export interface Sampled {
  readonly inboxDepth: () => Promise<number>;
  readonly leaseAgeSeconds: () => number;
  readonly callsRunning: () => { readonly legacy: number; readonly modern: number };
  readonly subscriptionsOpen: () => number;
  readonly connectionsOpen: () => number;
  readonly draining: () => boolean;
}

export interface NodeInfo {
  readonly store: 'redis' | 'memory';
  readonly leaseSeconds: number;
}

export interface NodeMetrics extends Metrics {
  /** Adds what only a node knows. Once. */
  sample(node: Sampled, info: NodeInfo): void;
  redisUp(up: boolean): void;
  redisCommand(command: string, seconds: number, answered: boolean): void;
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const RELAY_OUTCOMES: readonly RelayOutcome[] = [
  'local',
  'posted',
  'delivered',
  'unwanted',
  'foreign',
  'forged',
  'orphaned',
];

/**
 * How often the event loop is looked at. By default it is every 10 ms, which is more than half of all that an idle node does.
 * The library's figures contain this interval: a loop that is never late shows it.
 */
const LAG_LOOKED_AT_MS = 100;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createMetrics(sources: { readonly activeSessions: () => Promise<number> }): NodeMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_LOOKED_AT_MS });

  new Gauge({
    name: 'mcp_sessions_active',
    help: 'Live sessions of the whole fleet.',
    registers,
    async collect() {
      try {
        this.set(await sources.activeSessions());
      } catch {
        // The last value stands while the store is away; redis_up tells that it is.
      }
    },
  });
  const created = new Counter({ name: 'mcp_sessions_created_total', help: 'Sessions opened on this node.', registers });
  const ended = new Counter({
    name: 'mcp_sessions_ended_total',
    help: 'Sessions whose end this node carried out or found; summed over the nodes each session counts once.',
    labelNames: ['reason'],
    registers,
  });
  const requests = new HeldCounter(registry, {
    name: 'mcp_requests_total',
    help: 'Requests by era, method and outcome.',
  });
  const durations = new HeldHistogram(
    registry,
    {
      name: 'mcp_request_duration_seconds',
      help: 'From the end of the body to the end of the response; streams included.',
    },
    SECONDS,
  );
  /** What is counted of a method in an era. */
  const served = (era: 'legacy' | 'modern') =>
    rowsBy((method) => ({
      took: durations.row({ era, method }),
      outcome: rowsBy((outcome) => requests.row({ era, method, outcome })),
    }));
  const methods = { legacy: served('legacy'), modern: served('modern') };
  const restored = new HeldCounter(registry, {
    name: 'mcp_transport_restorations_total',
    help: 'Sessions brought back on this node from the store, one for each exchange.',
  }).row({});
  const streams = new Gauge({
    name: 'mcp_streams_open',
    help: 'SSE responses open on this node.',
    labelNames: ['kind'],
    registers,
  });
  const relayed = new Counter({
    name: 'mcp_relayed_messages_total',
    help: 'Messages of clients for calls that wait for them, by what became of them.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const recovered = new Counter({
    name: 'mcp_calls_recovered_total',
    help: 'Calls of dead nodes, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const lost = new Counter({
    name: 'mcp_history_lost_total',
    help: 'Streams whose reader was told that events are missing.',
    registers,
  });
  const events = new Counter({
    name: 'mcp_stream_events_total',
    help: 'Events that this node has stored in the logs of streams.',
    registers,
  });
  const bytes = new Counter({
    name: 'mcp_stream_bytes_total',
    help: 'Bytes of the data of those events.',
    registers,
  });
  const breaker = new Counter({
    name: 'redis_breaker_opened_total',
    help: 'How often Redis went out of reach: commands are refused until it answers again.',
    registers,
  });
  const refused = new Counter({
    name: 'mcp_refused_total',
    help: 'What was refused because it was too much, by the limit it went over.',
    labelNames: ['reason'],
    registers,
  });
  const up = new Gauge({
    name: 'redis_up',
    help: '1 while Redis answers in time (or is not used), else 0.',
    registers,
  });
  const commands = new HeldHistogram(
    registry,
    {
      name: 'redis_command_duration_seconds',
      help: 'Redis commands and scripts, by name and whether they were answered.',
    },
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  );
  const answered = rowsBy((command) => commands.row({ command, outcome: 'answered' }));
  const failed = rowsBy((command) => commands.row({ command, outcome: 'failed' }));

  // Zeroes from the start: a rate over a series that appears with its first event misses that event.
  for (const reason of ['expired', 'deleted', 'max_age'] as const) ended.inc({ reason }, 0);
  for (const kind of ['call', 'main'] as const) streams.set({ kind }, 0);
  for (const outcome of ['rerun', 'failed'] as const) recovered.inc({ outcome }, 0);
  for (const reason of REFUSAL_REASONS) refused.inc({ reason }, 0);
  for (const kind of ['answer', 'progress'] as const)
    for (const outcome of RELAY_OUTCOMES) relayed.inc({ kind, outcome }, 0);

  return {
    sessionCreated: () => created.inc(),
    sessionsEnded: (reason, count) => ended.inc({ reason }, count),
    sessionRestored() {
      restored.value += 1;
    },
    request(era, method, outcome, seconds) {
      const row = methods[era](method);
      row.outcome(outcome).value += 1;
      row.took.observe(seconds);
    },
    relayed: (kind, outcome) => relayed.inc({ kind, outcome }),
    streamOpened: (kind) => streams.inc({ kind }),
    streamClosed: (kind) => streams.dec({ kind }),
    historyLost: () => lost.inc(),
    refused: (reason) => refused.inc({ reason }),
    callRecovered: (outcome) => recovered.inc({ outcome }),
    redisUp(value) {
      up.set(value ? 1 : 0);
      if (!value) breaker.inc();
    },
    appended(count, size) {
      events.inc(count);
      bytes.inc(size);
    },
    sample: (node, info) => sampleNode(registers, node, info),
    redisCommand: (command, seconds, inTime) => (inTime ? answered : failed)(command).observe(seconds),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
