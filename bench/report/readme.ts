/** What the README says of a run, between two marks: no figure of it is written by hand. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Result } from '../peers.js';

const README = new URL('../../README.md', import.meta.url);
const [BEGIN, END] = ['<!-- bench: begin -->', '<!-- bench: end -->'];

export async function writeReadme(results: readonly Result[], rounds: number): Promise<void> {
  const text = await readFile(README, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to === -1) throw new Error(`README.md has no ${BEGIN} and ${END}`);
  await writeFile(README, `${text.slice(0, from + BEGIN.length)}\n${paragraph(results, rounds)}\n${text.slice(to)}`);
}

function paragraph(results: readonly Result[], rounds: number): string {
  const ratio = (workload: string, ours: string, peer: string): string => {
    const figures = results.find((result) => result.workload.id === workload)?.figures ?? [];
    const cpu = (id: string): number => figures.find((figure) => figure.id === id)?.cpu ?? Number.NaN;
    return (cpu(ours) / cpu(peer)).toFixed(2);
  };
  const sessions = (workload: string, ours = 'anynode-reusable'): string => ratio(workload, ours, 'v1-sessions');
  return [
    `Processor time of the server per request, medians of ${rounds} interleaved rounds of one run; other machines give other ratios.`,
    'Against SDK 1.x with its sessions in the memory of one process, a fleet that keeps nothing there pays, with reusable servers,',
    `${sessions('call')} for a \`tools/call\`, ${sessions('open')} for opening a session, ${sessions('progress')} for a call with ten progress events (each of them stored), and ${sessions('list')} for`,
    `\`tools/list\` (${sessions('list', 'anynode-lists')} where the module declares \`fixedLists\`). A \`tools/call\` is ${ratio('call', 'anynode-reusable', 'v1-stateless')} of what SDK 1.x stateless takes and ${ratio('call', 'anynode-reusable', 'v2-stateless')} of SDK 2.x's handler; with a`,
    `server built for every request ${ratio('call', 'anynode-fresh', 'v2-stateless')} of the latter. It is ${ratio('call', 'anynode-reusable', 'limit-b')} times a bare \`node:http\` with one Redis script, which is as far as one can go.`,
    `Access tokens (JWT) and all limits make it ${ratio('gates', 'anynode-jwt', 'anynode-open')} times what it is without them.`,
  ].join('\n');
}
