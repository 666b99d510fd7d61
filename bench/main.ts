/** `npm run bench`: everything side by side in one run. See options.ts for the flags. */
import { writeFile } from 'node:fs/promises';
import { startRedis } from '../test/support/redis.js';
import { parseOptions } from './options.js';
import { type Result, runPeers } from './peers.js';
import { toChart } from './report/chart.js';
import { writeReadme } from './report/readme.js';
import { elicitationText, resultTable, streamTable, targetTable, toMarkdown } from './report/results.js';
import { runScale } from './scale/index.js';
import { measureElicitation } from './workloads/elicitation.js';
import { measureStreams } from './workloads/streams.js';

try {
  const options = parseOptions(process.argv.slice(2));
  const redis = await startRedis();
  // The fleets of the two programs never meet, and neither is left with keys of the other.
  try {
    if (options.program === 'scale') await runScale(options);
    else await runSideBySide(options, redis);
  } finally {
    await redis.stop();
  }
} catch (error) {
  process.stderr.write(
    `${error instanceof RangeError || process.env.DEBUG === undefined ? (error as Error).message : (error as Error).stack}\n`,
  );
  // Whatever is still starting is ended by the exit, by its pid.
  process.exit(1);
}

async function runSideBySide(
  options: ReturnType<typeof parseOptions>,
  redis: Awaited<ReturnType<typeof startRedis>>,
): Promise<void> {
  const say = (...lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
  const wants = (workload: string): boolean => options.only?.includes(workload) ?? options.peers === undefined;
  say(
    '',
    `anynode bench: ${options.rounds} interleaved rounds of ${options.ms} ms each; processor time of the servers`,
    '',
  );
  const results: Result[] = [];
  await runPeers(options, redis, (result) => {
    results.push(result);
    say(result.workload.title, '', resultTable(result), '');
  });
  const elicitation = wants('elicitation') ? await measureElicitation(redis.url, options.quick ? 3 : 20) : undefined;
  if (elicitation) say('elicitation over two nodes, 100 answers a second', '', elicitationText(elicitation), '');
  const streams = wants('streams')
    ? await measureStreams(redis.url, options.quick ? 300 : 2000, ['v1-sessions', 'anynode-reusable'])
    : [];
  if (streams.length > 0) say('open idle streams', '', streamTable(streams), '');
  if (results.length > 0) say('targets', '', targetTable(results), '');
  if (!options.write) return;
  const { rounds, ms } = options;
  await writeFile(new URL('RESULTS.md', import.meta.url), toMarkdown({ results, elicitation, streams, rounds, ms }));
  await writeFile(new URL('chart.svg', import.meta.url), toChart(results, ['call', 'open', 'list', 'progress']));
  await writeReadme(results, rounds);
  say('written: bench/RESULTS.md, bench/chart.svg, the paragraph in README.md');
}
