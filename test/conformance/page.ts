/**
 * CONFORMANCE.md: what a run has found, as a page that comes out the same as long as the result does. No times, no dates,
 * no numbers that depend on the machine.
 */
import { EXTENSIONS } from './extensions.js';
import { KNOWN_EXCEPTIONS } from './known-exceptions.js';
import { titleOf } from './legs.js';
import type { LegReport } from './run-leg.js';
import type { Suite } from './suite.js';
import type { Result, Verdict } from './verdict.js';

export function renderPage(reports: readonly LegReport[], suite: Pick<Suite, 'versions'>): string {
  return [
    INTRODUCTION,
    summary(reports, suite),
    SET_UP(suite),
    NOT_SHOWN,
    extensions(reports),
    exceptions(reports),
    ...reports.map((report) => details(report, suite)),
  ]
    .join('\n\n')
    .concat('\n');
}

const INTRODUCTION = `# Conformance

What the official MCP conformance suite finds on a fleet of three nodes where every request goes to the next node.

\`npm run conformance -- --write\` has written this page. \`npm run conformance\` repeats the run and fails where its result
is not this page; CI does that.`;

const SET_UP = ({ versions: { stable, next, node } }: Pick<Suite, 'versions'>): string => `## How it is run

- The suite: \`@modelcontextprotocol/conformance\` ${stable} and ${next}, run with Node ${node}, all fixed by
  \`test/conformance/suite/package-lock.json\`. Every server scenario that a release lists is run, extensions aside.
- The fleet: three nodes started with \`MCP_SERVER=everything\`, a Redis of their own, and a plain balancer in front
  (\`src/demo/balancer.ts\`) that gives each request to the next node. No affinity, no shared memory. Every leg has a fleet
  to itself, and its scenarios come one after the other.
- Strict: for the suite a scenario passes as long as no check has failed. Here a warning fails it too, and so does a
  scenario in which nothing was checked.
- \`npm run conformance -- --reference\` does the same with one node and no Redis. It is held against this page as well, so
  the fleet has no failure, and no check less, than a single node.`;

const NOT_SHOWN = `## What it does not show

- The suite kills no node, restarts nothing and cancels no call. It awaits no \`notifications/resources/updated\` and no
  message on the standalone GET stream, and sends no bearer token. The tests in \`test/\` are for these.
- \`resources-subscribe\`, \`resources-unsubscribe\` and \`logging-set-level\` pass on a server that forgets the call at once.
- \`input-required-result-tampered-state\` passes where no state can be verified at all; \`-request-state\`,
  \`-multiple-input-requests\` and \`-multi-round\` are the ones that need nodes to accept each other's state.
- At 2025-06-18 other scenarios are run and other schemas checked, but most of them still negotiate 2025-11-25.
- No scenario speaks HTTP+SSE of 2024-11-05, and none is a load.`;

/** Padded, as the formatter of the project has tables. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(String));
  const widths = head.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const [titles = '', ...others] = lines.map(
    (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  return [titles, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...others].join('\n');
}

function summary(reports: readonly LegReport[], suite: Pick<Suite, 'versions'>): string {
  const rows = reports.map(({ leg, verdicts }) => {
    const count = (wanted: Result): number => verdicts.filter(({ result }) => result === wanted).length;
    const checks = verdicts.reduce((sum, { passed }) => sum + passed, 0);
    return [titleOf(leg, suite), verdicts.length, count('pass'), count('excepted'), count('fail'), checks];
  });
  return table(['Leg', 'Scenarios', 'Passed', 'Excepted', 'Failed', 'Checks passed'], rows);
}

function extensions(reports: readonly LegReport[]): string {
  const served = new Set(reports.flatMap((report) => [...(report.served ?? [])]));
  const rows = EXTENSIONS.map(({ id }) => [`\`${id}\``, served.has(id) ? 'served' : 'not served']);
  const text =
    'By what `server/discover` answers. `npm run conformance -- --extensions` runs the scenarios of those served.';
  return `## Extensions\n\n${text}\n\n${table(['Extension', 'Here'], rows)}`;
}

function exceptions(reports: readonly LegReport[]): string {
  const known = KNOWN_EXCEPTIONS.filter((exception) => reports.some(({ leg }) => leg.id === exception.leg));
  const list = known.map(({ leg, scenario, reason }) => `- ${leg}, \`${scenario}\`: ${reason}.`);
  return `## Exceptions\n\n${list.length === 0 ? 'None.' : list.join('\n')}`;
}

function details({ leg, verdicts }: LegReport, suite: Pick<Suite, 'versions'>): string {
  const rows = verdicts.map((verdict) => [`\`${verdict.scenario}\``, verdict.result, checksOf(verdict)]);
  return `## ${titleOf(leg, suite)}\n\n${table(['Scenario', 'Result', 'Checks passed'], rows)}`;
}

const checksOf = ({ passed, skipped }: Verdict): string =>
  skipped === 0 ? `${passed}` : `${passed}, ${skipped} skipped`;
