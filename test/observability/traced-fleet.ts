/** Fleets whose nodes record spans, and what they have recorded. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';

const path = (file: string): string => fileURLToPath(new URL(`./servers/${file}`, import.meta.url));

export interface RecordedSpan {
  readonly pid: number;
  readonly name: string;
  /** As OpenTelemetry numbers them: 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string;
  readonly links: readonly string[];
  readonly linkedTraces: readonly string[];
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface TracedFleet {
  readonly fleet: Fleet;
  spans(): RecordedSpan[];
  /** The spans of a trace, once there is one of every name. */
  trace(traceId: string, names: readonly string[]): Promise<RecordedSpan[]>;
  /** Everything recorded, as text. */
  recorded(): string;
  stop(): Promise<void>;
}

/** `env` of nodes; `SDK: no` leaves out what records. */
export async function startTracedFleet(
  env: Readonly<Record<string, string>> = {},
  record = true,
): Promise<TracedFleet> {
  const directory = await mkdtemp(join(tmpdir(), 'anynode-spans-'));
  const file = join(directory, 'spans.jsonl');
  const recording = { NODE_OPTIONS: `--import ${path('spans-to-file.mjs')}`, SPAN_FILE: file };
  const fleet = await startFleet({
    env: { MCP_SERVER: path('traced.mjs'), LOG_LEVEL: 'debug', ...(record && recording), ...env },
  });
  const recorded = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const spans = (): RecordedSpan[] =>
    recorded()
      .split('\n')
      // The last line may be half written.
      .slice(0, -1)
      .map((line) => JSON.parse(line) as RecordedSpan);
  return {
    fleet,
    spans,
    recorded,
    trace: (traceId, names) =>
      eventually(
        () => {
          const found = spans().filter((span) => span.traceId === traceId);
          const missing = names.filter((name) => !found.some((span) => span.name === name));
          if (missing.length > 0) throw new Error(`no span ${missing.join(', ')} in ${JSON.stringify(found)}`);
          return found;
        },
        { deadlineMs: 30_000 },
      ),
    async stop() {
      await fleet.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A trace that nobody else has. */
export function newTrace(flags = '01'): {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceparent: string;
} {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

export function named(spans: readonly RecordedSpan[], name: string): RecordedSpan {
  const found = spans.find((span) => span.name === name);
  if (!found) throw new Error(`no span ${name} among ${spans.map((span) => span.name).join(', ')}`);
  return found;
}
