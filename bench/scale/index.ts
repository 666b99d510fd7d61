/** `npm run bench -- scale`: what sessions, streams, events and nodes cost, and what many of them do to one node. */
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

export async function runScale({ only, quick }: Options): Promise<void> {
  for (const [id, run] of PARTS) {
    if (only && !only.includes(id)) continue;
    process.stdout.write(`\n${id}\n`);
    for (const line of await run(quick)) process.stdout.write(`  ${line}\n`);
  }
}
