import type { ServerResponse } from 'node:http';

const RUNS = Symbol('runs when over');
type Followed = ServerResponse & { [RUNS]?: (() => void)[] };

/**
 * Runs once the response is over, however it ends; in the order of asking. One listener for all who ask: several want to know of
 * every request, and each listener of its own costs more than what it does.
 */
export function whenOver(res: Followed, run: () => void): void {
  const runs = res[RUNS];
  if (runs) {
    runs.push(run);
    return;
  }
  const all = [run];
  res[RUNS] = all;
  res.once('close', () => {
    for (const each of all) each();
  });
}
