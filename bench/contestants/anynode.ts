/** A node of the built product with its defaults, in front of the same tools. `BENCH_REUSABLE=1`: servers are lent. */
import { tell } from './ready.js';

const { createNode } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof import('../../src/index.js');
const { default: server } = process.env.BENCH_SDK === '1' ? await import('./v1-server.js') : await import('./v2-server.js');

const { REDIS_URL, BENCH_REUSABLE, BENCH_SETTINGS = '{}' } = process.env;
if (REDIS_URL === undefined) throw new Error('REDIS_URL is not set');
const node = await createNode({
  server,
  reusable: BENCH_REUSABLE === '1',
  redisUrl: REDIS_URL,
  logLevel: 'warn',
  port: 0,
  drainDelayMs: 0,
  ...JSON.parse(BENCH_SETTINGS),
});
const { port } = await node.listen();
process.on('message', async (message) => {
  if (message !== 'change') return;
  await node.notify.toolsChanged();
  process.send?.({ changed: true });
});
process.once('SIGTERM', async () => {
  await node.close();
  process.exit(0);
});
tell(port);
