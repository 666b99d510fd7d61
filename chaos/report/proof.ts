/** PROOF.md: written from the results that were kept, never by hand. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { proofPage } from './page.js';
import type { Result } from './summary.js';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const PAGE = fileURLToPath(new URL('../../PROOF.md', import.meta.url));

/** One file for each seed and plant: a later run with the same replaces it. */
export async function keepResult(result: Result): Promise<void> {
  const name = result.kind === 'run' ? `seed-${result.seed}` : `plant-${result.name}`;
  await mkdir(RESULTS, { recursive: true });
  await writeFile(`${RESULTS}${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

export async function readResults(): Promise<Result[]> {
  const names = (await readdir(RESULTS)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(`${RESULTS}${name}`, 'utf8')) as Result));
}

export const readProof = (): Promise<string> => readFile(PAGE, 'utf8');

export async function writeProof(): Promise<void> {
  await writeFile(PAGE, proofPage(await readResults()));
}
