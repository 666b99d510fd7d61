/**
 * The server module of a node: the same tools, from SDK 2.x unless `BENCH_SDK=1`. `BENCH_REUSABLE=1`: servers are lent.
 *
 * It also answers what the bench asks a contestant's process, since a node itself has no such door.
 */
import type { ServerContext } from '../../src/index.js';
import './ready.js';
import createV1Server from './v1-server.js';
import createV2Server from './v2-server.js';

const build = process.env.BENCH_SDK === '1' ? createV1Server : createV2Server;

export const reusable = process.env.BENCH_REUSABLE === '1';
/** They speak through their own requests alone; with `BENCH_FOLLOWED=1` the module does not say so. */
export const quiet = reusable && process.env.BENCH_FOLLOWED !== '1';
/** The tools never differ and never change: with `BENCH_LISTS=1` the module says so. */
export const fixedLists = process.env.BENCH_LISTS === '1';

let notify: ServerContext['notify'] | undefined;

export default (context: ServerContext) => {
  notify = context.notify;
  return build();
};

process.on('message', async (message) => {
  if (message !== 'change') return;
  await notify?.toolsChanged();
  process.send?.({ changed: true });
});
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
