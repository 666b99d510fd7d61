/** `npm run bench -- scale`: what sessions, streams, events and nodes cost, and what many of them do to one node. */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { Options } from '../options.js';
import { measureIdle } from './idle.js';
import { measureNodes } from './nodes.js';
import { measureSession } from './session.js';
import { measureStreams } from './streams.js';

const PARTS: readonly [id: string, run: (quick: boolean) => Promise<readonly string[]>][] = [
  ['session', measureSession],
  ['streams', measureStreams],
  ['nodes', measureNodes],
  ['idle', measureIdle],
];

const RESULTS = new URL('../SCALE.md', import.meta.url);

export async function runScale({ only, quick, write }: Options): Promise<void> {
  for (const [id, run] of PARTS) {
    if (only && !only.includes(id)) continue;
    process.stdout.write(`\n${id}\n`);
    const lines = await run(quick);
    for (const line of lines) process.stdout.write(`  ${line}\n`);
    if (!quick && write) await writePart(id, lines);
  }
}

/** Each part by itself, as they take minutes; the others stay as they were. */
async function writePart(id: string, lines: readonly string[]): Promise<void> {
  const before = await readFile(RESULTS, 'utf8').catch(() => '');
  const parts = new Map(before.split(/^## /m).map((part) => [part.split('\n', 1)[0] as string, part]));
  parts.set(id, [id, '', ...lines.map((line) => `- ${line.trim()}`), '', ''].join('\n'));
  const head = [
    '# Scale',
    '',
    'Written by `npm run bench -- scale`, which leaves each part until it is measured again.',
    '',
    `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Redis on the same machine.`,
  ];
  const known = PARTS.flatMap(([part]) => parts.get(part)?.trimEnd() ?? []);
  await writeFile(RESULTS, [...head, ...known.flatMap((part) => ['', `## ${part}`]), ''].join('\n'));
}
