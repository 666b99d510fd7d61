/**
 * `npm run demo`: three replicas, a balancer that changes replica at every request, and a client that never notices.
 *
 * Everything printed has been checked just before. Ends with 0 when all of it held; with 1 and one line when not.
 */
import { startBalancer } from './balancer.js';
import { type DemoFleet, startReplicas } from './replicas.js';
import { bold, dim, green, print, printTable, red } from './screen.js';
import { Stage } from './stage.js';
import { STORY } from './story.js';

/** The whole story takes ten seconds; whoever waits this long waits for nothing. */
const DEADLINE_MS = 60_000;
/** The step being told, for the one line that is said when it never comes to its end. */
let current = 'start';

async function run(): Promise<void> {
  print(bold('anynode demo: three replicas, one session, another replica for every request'));
  print();
  const startedAt = Date.now();
  const fleet = await startReplicas();
  const balancer = await startBalancer(fleet.replicas.map(({ url }) => url));
  const stage = new Stage(fleet, balancer);
  try {
    introduce(fleet, balancer.url);
    for (const step of STORY) {
      current = step.name;
      await step(stage);
    }
    const taken = fleet.replicas.map(({ label, url }) => `${label} ${balancer.counts.get(url) ?? 0}`).join(', ');
    const total = [...balancer.counts.values()].reduce((sum, count) => sum + count, 0);
    print();
    print(
      `${green('All of it held.')} ${total} requests (${taken}) in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`,
    );
  } finally {
    await stage.close();
    await balancer.close();
    await fleet.stop();
  }
}

function introduce(fleet: DemoFleet, balancerUrl: string): void {
  printTable([
    ['node', 'runs in', 'address'],
    ...fleet.replicas.map(({ label, nodeId, place, url }) => [`${label} (${nodeId})`, place, url]),
    ['balancer', 'this process', `${balancerUrl}, next replica for every request`],
  ]);
  print(`  ${dim(`store: ${fleet.store}`)}`);
  print();
}

function fail(error: unknown): never {
  const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
  process.stderr.write(`${red('The demo failed:')} ${line}\n`);
  process.exit(1);
}

// Leaving at once is safe: what was started is killed by its own exit handler.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
setTimeout(
  () => fail(new Error(`"${current}" is not done, ${DEADLINE_MS / 1000} s after the start`)),
  DEADLINE_MS,
).unref();

run().then(() => process.exit(0), fail);
