/**
 * Two nodes that reach their Redis by a name and over a line, so that each part of the way can fail. The nodes are the
 * same processes from the first outage to the last.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { type NodeProcess, startNode } from '../support/node-process.js';
import type { Target } from '../support/raw-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { type Line, startLine } from './line.js';

const NAME = 'redis.fleet.test';
const PRELOAD = new URL('./vanishing-name.mjs', import.meta.url).href;

export interface Stage extends Target {
  readonly nodes: readonly NodeProcess[];
  readonly line: Line;
  readonly redisPid: number;
  /** Sends a command as an operator would, past the line. */
  command(...args: string[]): Promise<unknown>;
  /** SIGKILL. */
  killRedis(): Promise<void>;
  /** At the same port: with what it had written, or empty. */
  startRedisAgain(options: { readonly keepsData: boolean }): Promise<void>;
  forgetName(): Promise<void>;
  rememberName(): Promise<void>;
  stop(): Promise<void>;
}

export async function setStage(env: Readonly<Record<string, string>>, options = { redis: true }): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'anynode-stage-'));
  const nameFile = join(directory, 'name');
  let data = 0;
  const open = (port?: number): Promise<RedisServer> => {
    const args = ['--appendonly', 'yes', '--appenddirname', `data-${data}`, '--dir', directory];
    return startRedis({ args, ...(port !== undefined && { port }) });
  };
  let redis = await open();
  const { port } = redis;
  if (!options.redis) await redis.stop();
  const line = await startLine(port);
  await writeFile(nameFile, '');
  const nodeEnv = {
    MCP_SERVER: 'everything',
    REDIS_URL: `redis://${NAME}:${line.port}`,
    NODE_OPTIONS: `--import ${PRELOAD}`,
    VANISHING_NAME: NAME,
    VANISHING_FILE: nameFile,
    DRAIN_DELAY_MS: '0',
    DRAIN_TIMEOUT_MS: '1000',
    ...env,
  };
  const nodes = await Promise.all([startNode(nodeEnv), startNode(nodeEnv)]);

  return {
    nodes,
    line,
    url: nodes[0].url,
    nodeUrls: nodes.map(({ url }) => url),
    get redisPid() {
      return redis.pid;
    },
    async command(...args) {
      const client = createClient({ url: redis.url });
      await client.connect();
      try {
        return await client.sendCommand(args);
      } finally {
        client.destroy();
      }
    },
    async killRedis() {
      process.kill(redis.pid, 'SIGKILL');
      await redis.stop();
    },
    async startRedisAgain({ keepsData }) {
      if (!keepsData) data += 1;
      redis = await open(port);
    },
    forgetName: () => rm(nameFile),
    rememberName: () => writeFile(nameFile, ''),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await line.close();
      await redis.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
