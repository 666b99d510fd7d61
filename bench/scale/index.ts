/** `npm run bench -- scale`: what sessions, streams, events and nodes cost, and what many of them do to one node. */
import { writeFile } from 'node:fs/promises';
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

export async function runScale({ only, quick, write }: Options): Promise<void> {
  const text = [
    `# Scale`,
    '',
    `Written by \`npm run bench -- scale\`. Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, Redis on the same machine.`,
  ];
  for (const [id, run] of PARTS) {
    if (only && !only.includes(id)) continue;
    process.stdout.write(`\n${id}\n`);
    const lines = await run(quick);
    for (const line of lines) process.stdout.write(`  ${line}\n`);
    text.push('', `## ${id}`, '', ...lines.map((line) => `- ${line.trim()}`));
  }
  if (write) await writeFile(new URL('../SCALE.md', import.meta.url), `${text.join('\n')}\n`);
}
