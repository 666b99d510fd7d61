import { startRedis } from '../test/support/redis.js';
import { parseOptions } from './options.js';
import { runPeers } from './peers.js';
const options = parseOptions(process.argv.slice(2));
const redis = await startRedis();
await runPeers(options, redis, ({ workload, figures }) => {
  console.log(workload.title);
  const b = figures.find((f) => f.id === 'limit-b')?.cpu ?? figures[0]!.cpu;
  for (const f of figures) console.log('  ', f.id.padEnd(20), f.cpu.toFixed(4), `redis ${f.redisCpu.toFixed(4)}`, (f.cpu / b).toFixed(2), `[${f.lowest.toFixed(3)} ${f.highest.toFixed(3)}]`, f.requests);
});
await redis.stop();
