/** The run as Markdown tables: on the terminal as they are, in RESULTS.md with their surroundings. */
import { cpus } from 'node:os';
import { contestant } from '../contestants/index.js';
import type { Result } from '../peers.js';
import type { Latency } from '../workloads/elicitation.js';
import type { StreamWeight } from '../workloads/streams.js';
import { ELICITATION_TARGET_MS, STREAM_TARGET_BYTES, TARGETS } from './targets.js';

export interface Run {
  readonly results: readonly Result[];
  readonly elicitation: Latency | undefined;
  readonly streams: readonly StreamWeight[];
  readonly rounds: number;
  readonly ms: number;
}

/** Columns as wide as their widest cell; the first one is words, the others are figures. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
}

export function resultTable({ workload, figures }: Result): string {
  const of = (id: string): number | undefined => figures.find((figure) => figure.id === id)?.cpu;
  const sessions = of('v1-sessions') ?? of('v2-modern') ?? of('anynode-open');
  const limit = of('limit-b');
  const ratio = (cpu: number, base: number | undefined): string => (base === undefined ? '-' : (cpu / base).toFixed(2));
  const base = of('v1-sessions') ? 'SDK 1.x sessions = 1' : of('v2-modern') ? 'SDK 2.x = 1' : 'no gates = 1';
  const head = [
    '',
    `ms per ${workload.unit}`,
    base,
    ...(limit ? ['limit B = 1'] : []),
    'lowest to highest round',
    'Redis, ms',
  ];
  const rows = figures.map((figure) => [
    contestant(figure.id).label,
    figure.cpu.toFixed(3),
    ratio(figure.cpu, sessions),
    ...(limit ? [ratio(figure.cpu, limit)] : []),
    `${figure.lowest.toFixed(3)} to ${figure.highest.toFixed(3)}`,
    contestant(figure.id).needsRedis ? figure.redisCpu.toFixed(3) : '-',
  ]);
  return table([head, ...rows]);
}

export function targetTable(results: readonly Result[]): string {
  const cpu = (workload: string, id: string): number | undefined =>
    results.find((result) => result.workload.id === workload)?.figures.find((figure) => figure.id === id)?.cpu;
  const rows = TARGETS.flatMap(({ workload, ours, peer, atMost }) => {
    const [our, theirs] = [cpu(workload, ours), cpu(workload, peer)];
    if (our === undefined || theirs === undefined) return [];
    const ratio = our / theirs;
    const title = results.find((result) => result.workload.id === workload)?.workload.title ?? workload;
    const words = `${title}: ${contestant(ours).label}, against ${contestant(peer).label}`;
    return [[words, ratio.toFixed(2), atMost.toFixed(2), ratio <= atMost ? 'met' : 'missed']];
  });
  return table([['', 'ratio', 'at most', ''], ...rows]);
}

export function elicitationText({ median, p99, answers }: Latency): string {
  const verdict = median <= ELICITATION_TARGET_MS.median && p99 <= ELICITATION_TARGET_MS.p99 ? 'met' : 'missed';
  const targets = `${ELICITATION_TARGET_MS.median} and ${ELICITATION_TARGET_MS.p99} ms`;
  return `median ${median.toFixed(1)} ms, 99th percentile ${p99.toFixed(1)} ms, of ${answers} answers (target ${targets}: ${verdict})`;
}

export function streamTable(streams: readonly StreamWeight[]): string {
  const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);
  const rows = streams.map(({ id, streams: count, rss, heap }) => {
    return [contestant(id).label, String(count), kilobytes(rss), kilobytes(heap)];
  });
  const head = ['', 'streams', 'resident KB each', 'heap KB each'];
  return `${table([head, ...rows])}\n\nTarget for a stream of anynode: ${STREAM_TARGET_BYTES / 1024} KB.`;
}

export function toMarkdown({ results, elicitation, streams, rounds, ms }: Run): string {
  const parts = [
    '# Results',
    'Written by `npm run bench`. Processor time of the server process per request, user and system, from the books of the kernel;',
    `medians over ${rounds} interleaved rounds of ${ms} ms for each contestant. Every contestant is a process of its own with the same 20 tools,`,
    'driven over 16 connections that are kept alive. Only ratios within this run mean anything: other machines, and other hours of this one, differ.',
    '',
    `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Redis on the same machine.`,
    '',
    'The contestants are in [contestants](contestants): SDK 1.x with its defaults answers as SSE; "JSON answers" is the same with',
    '`enableJsonResponse`. "Reusable servers" is a module with `reusable = true` and `quiet = true`, "not quiet" one with the first alone, whose execution is followed, "fixed lists" one that declares `fixedLists = true` as well.',
    '',
    '![Processor time per request](chart.svg)',
    ...results.flatMap((result) => ['', `## ${heading(result.workload.title)}`, '', resultTable(result)]),
    ...(elicitation
      ? [
          '',
          '## Elicitation over two nodes',
          '',
          `From the POST of the answer at one node to the resumption of the handler on the other, 100 a second: ${elicitationText(elicitation)}.`,
        ]
      : []),
    ...(streams.length > 0 ? ['', '## Open idle streams', '', streamTable(streams)] : []),
    '',
    '## Targets',
    '',
    targetTable(results),
    '',
    'A `tools/list` without `fixedLists` is answered by the server, as with the SDK itself, and nearly all of it is the conversion of',
    'twenty schemas. Keeping that answer unasked would not be safe: a list handler may answer by who asks, a tool may be changed in place,',
    'and neither can be seen from outside. A module whose lists are the same for everybody says so with `fixedLists = true`.',
    '',
  ];
  return parts.join('\n');
}

function heading(title: string): string {
  return title.startsWith('`') ? title : title.charAt(0).toUpperCase() + title.slice(1);
}
