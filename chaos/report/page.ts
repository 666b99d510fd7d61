/** The words and tables of PROOF.md. Figures come from results alone. */
import { RULES } from '../checker/check.js';
import type { PlantResult, Recovery, Result, RunResult } from './summary.js';

export function proofPage(results: readonly Result[]): string {
  const runs = results.filter((result): result is RunResult => result.kind === 'run').sort((a, b) => a.seed - b.seed);
  const plants = results.filter((result): result is PlantResult => result.kind === 'plant');
  return `${[
    INTRODUCTION,
    '## Runs',
    ...runsSection(runs),
    '## Faults and recovery',
    ...faultsSection(runs),
    '## Operations',
    ...operationsSection(runs),
    '## Memory over a run',
    ...memorySection(runs),
    '## Planted faults',
    ...plantsSection(plants),
    '## What is judged',
    RULES_TEXT,
    RULES.map((rule) => `\`${rule}\``).join(', '),
    WORDS,
  ].join('\n\n')}\n`;
}

const INTRODUCTION = `# Proof

A fleet that is broken on purpose, and what its clients saw. Written by \`npm run chaos -- --record\` from the figures in
\`chaos/results\`; not edited by hand.

Three nodes (\`dist/main.js\`, wall clocks up to four minutes apart) on one Redis with \`appendfsync always\`, behind a balancer that
changes node at every request. Clients: the official v1 client over Streamable HTTP and over HTTP+SSE, the official v2 client
in both eras, and clients by hand that resume, cancel, delete, drop their streams and answer questions on other connections.
A nemesis breaks one thing after the other by the seed's schedule. The history is what clients saw, one JSON line for each
event, and the checker knows nothing else but the faults, a ledger of effects outside of the store, and the keys that were
left of deleted sessions. \`npm run chaos -- --seed N --minutes M --history FILE\` makes the same choices again.`;

const RULES_TEXT = `Every payload names its call, session and user. Sessions use the same small JSON-RPC ids, so what goes astray
fits in where it does not belong. 503 is excused while a fault keeps a node from the store and 8 s after it; 404 only for a
session that its client has ended; 500 never. One more run of a call that may be repeated is excused for each node that a fault may have
had taken for dead: by a roll all of them, by one that strikes the store none. An official client that opens an HTTP+SSE stream again by itself comes without its
session, and is not judged from then on. Streams that ended are read again now and then and must be what was sent. The rules:`;

const WORDS = `## What an acknowledgement means

A 202, a result, an event with an id: stored in Redis before it was sent. What that is worth is what Redis does with it.

| Redis keeps | kill -9 of the process | loss of the machine | tested |
| --- | --- | --- | --- |
| AOF, \`appendfsync always\` | nothing acknowledged is lost | nothing acknowledged is lost, as far as the disk tells the truth | the runs above, \`test/chaos/persistence.test.ts\` |
| AOF, \`appendfsync everysec\` | nothing: the file was written before the answer, only the fsync comes later (up to about 2 s of it may wait in Redis while an fsync is slow) | up to about 2 s | kill -9, with \`ANYNODE_FULL=1\` |
| snapshots | all since the last one | all since the last one | no |
| AOF, and a replica that takes over in order (\`FAILOVER\`) | nothing: writes wait until the replica has all | - | the runs above |
| a replica that is promoted after a loss | what had not reached the replica is forgotten, all else is whole | the same | \`test/chaos/persistence.test.ts\` |
| nothing | everything | everything | \`test/chaos/persistence.test.ts\` |

Where everything is gone, clients get a clean 404 ("Session not found") on every node, open a new session, and never see
somebody else's or an old state. A promoted replica that lacks the last writes is the one case in which an acknowledged
answer, message or effect of a session can be missing; \`min-replicas-to-write\` bounds it.

## Models

\`chaos/model\` has the two delicate protocols without any of the product's code: the lease of a stream's tail, and the
recovery of calls. \`test/chaos/model.test.ts\` walks through every state they can reach (three nodes, two crashes and a
standstill; up to three responses, lost hints and a dead node) and prints how many those are. It also walks through wrong
designs (no fencing, a claim that is not atomic, sending before storing, hints without a look at the log, and others) and must
find each wrong.`;

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ') || 'none';

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const sum = (records: readonly Readonly<Record<string, number>>[]): Map<string, number> => {
  const total = new Map<string, number>();
  for (const [name, number] of records.flatMap((record) => Object.entries(record))) {
    total.set(name, (total.get(name) ?? 0) + number);
  }
  return new Map([...total].sort());
};

function runsSection(runs: readonly RunResult[]): string[] {
  const rows = runs.map((run) => [
    run.seed,
    run.minutes,
    run.sessions,
    Object.values(run.outcomes).reduce((a, b) => a + b, 0),
    list(run.outcomes),
    run.events,
    run.notes,
    list(run.violations),
  ]);
  const head = [
    'Seed',
    'Minutes',
    'Sessions',
    'Calls',
    'of these',
    'Messages received',
    'Messages from outside',
    'Violations',
  ];
  const networks = [...new Set(runs.map(({ network }) => network))].join('; ');
  return [
    table(head, rows),
    `\`unknown\`: the connection broke before the fleet had taken the call over. \`refused\`: 503, or 410 where an HTTP+SSE stream was open nowhere. \`ended\`: its session was deleted meanwhile. Faults of the network are made by: ${networks}.`,
  ];
}

function faultsSection(runs: readonly RunResult[]): string[] {
  const kinds = [...new Set(runs.flatMap(({ recovery }) => Object.keys(recovery)))].sort();
  const rows = kinds.map((kind) => {
    const all = runs.flatMap(({ recovery }) => (recovery[kind] ? [recovery[kind] as Recovery] : []));
    const medians = all.map(({ medianMs }) => medianMs).sort((a, b) => a - b);
    return [
      kind,
      all.reduce((total, { faults }) => total + faults, 0),
      medians[Math.floor(medians.length / 2)] ?? 0,
      Math.max(...all.map(({ mostMs }) => mostMs)),
      Math.max(...all.map(({ waitedMs }) => waitedMs)),
    ];
  });
  return [
    table(['Fault', 'Times', 'First success, median ms', 'most ms', 'Longest wait of a running call, ms'], rows),
    'First success: from the beginning of the fault to the answer of the first call within a session, of any client, that was begun after it (calls of the modern era need no store). The longest wait is of a call that was running when the fault began and was answered in the end, its own work (up to 3 s) included. `the machine stood still` is no fault of ours: the run itself was given no processor for half a second or more, beside everything else that ran there.',
  ];
}

function operationsSection(runs: readonly RunResult[]): string[] {
  const total = sum(runs.map(({ operations }) => operations));
  return [
    table(
      ['Operation', 'Times'],
      [...total].map(([name, number]) => [name, number]),
    ),
  ];
}

function memorySection(runs: readonly RunResult[]): string[] {
  const quarter = (values: readonly number[], at: number): number => values[Math.floor((values.length - 1) * at)] ?? 0;
  const rows = runs.map(({ seed, minutes, memory: { nodesMb, redisMb } }) => [
    seed,
    minutes,
    ...[0, 0.25, 0.5, 0.75, 1].map((at) => `${quarter(nodesMb, at) || 'no node up'} / ${quarter(redisMb, at)}`),
  ]);
  return [
    table(['Seed', 'Minutes', 'Start', '1/4', '1/2', '3/4', 'End'], rows),
    'The largest resident size of the three nodes, and what Redis uses, in MB. Nodes are killed and begun anew in every run.',
  ];
}

function plantsSection(plants: readonly PlantResult[]): string[] {
  const rows = plants.map(({ name, what, seed, seconds, found, rules }) => [
    `\`${name}\``,
    what,
    seed,
    found ? `in ${seconds} s` : '**not found**',
    rules.join(', '),
  ]);
  return [
    '`npm run chaos -- --plant all`: each is a change of text in a copy of the compiled product, asserted to have been applied.',
    table(['Plant', 'What is wrong', 'Seed', 'Found', 'Rules that were broken'], rows),
  ];
}
