/**
 * The Redis of a run: a process of its own whose data outlives it, so that it can be killed and come back.
 *
 * `appendfsync` is what an acknowledgement means: `always` is what the runs of the proof use, `none` keeps nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { eventually } from '../test/support/eventually.js';
import { type RedisServer, startRedis } from '../test/support/redis.js';

export type Persistence = 'always' | 'everysec' | 'none';

export class Store {
  #directory: string;
  readonly #persistence: Persistence;
  #server: RedisServer;
  #stopped = false;

  private constructor(directory: string, persistence: Persistence, server: RedisServer) {
    this.#directory = directory;
    this.#persistence = persistence;
    this.#server = server;
  }

  static async start(persistence: Persistence): Promise<Store> {
    const directory = await mkdtemp(join(tmpdir(), 'anynode-chaos-redis-'));
    return new Store(directory, persistence, await startRedis({ args: argsOf(directory, persistence) }));
  }

  get port(): number {
    return this.#server.port;
  }
  get url(): string {
    return this.#server.url;
  }

  /** SIGKILL: it has no time to write anything. */
  async kill(): Promise<void> {
    process.kill(this.#server.pid, 'SIGKILL');
    await this.#server.stop();
  }

  /** On the same port, with what the dead one had written. */
  async restart(): Promise<void> {
    const port = this.#server.port;
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#server = await startRedis({ port, args: argsOf(this.#directory, this.#persistence) });
        return;
      } catch (error) {
        // The port of a process that was killed a moment ago.
        if (attempt === 5) throw error;
      }
    }
  }

  /**
   * Another server becomes the primary, on a port of its own, after it has all that was acknowledged: the orderly failover
   * of an operator, which holds writes back until the replica has caught up. The old one ends.
   */
  async failOver(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'anynode-chaos-redis-'));
    const following = ['--replicaof', '127.0.0.1', String(this.port)];
    const next = await startRedis({ args: [...argsOf(directory, this.#persistence), ...following] });
    const says = (url: string, ...lines: string[]): Promise<unknown> =>
      eventually(
        async () => {
          const info = (await askRedis<string>(url, [['INFO']])).join();
          return lines.every((line) => info.includes(line));
        },
        { what: lines.join(', ') },
      );
    try {
      // Its own file too: a kill right after the failover must find all of it.
      await says(next.url, 'master_link_status:up', 'aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0');
      await this.ask(['FAILOVER', 'TO', '127.0.0.1', String(next.port), 'TIMEOUT', '5000']);
      await says(next.url, 'role:master');
    } catch (error) {
      await next.stop();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    const [old, oldDirectory] = [this.#server, this.#directory];
    this.#server = next;
    this.#directory = directory;
    await old.stop();
    await rm(oldDirectory, { recursive: true, force: true });
  }

  freeze(): void {
    process.kill(this.#server.pid, 'SIGSTOP');
    this.#stopped = true;
  }

  thaw(): void {
    if (this.#stopped) process.kill(this.#server.pid, 'SIGCONT');
    this.#stopped = false;
  }

  /** Commands of an operator, past every link, on a connection of their own. */
  ask<T>(...commands: readonly string[][]): Promise<T[]> {
    return askRedis(this.url, commands);
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.#server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function argsOf(directory: string, persistence: Persistence): string[] {
  const aof = persistence === 'none' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', persistence];
  return ['--dir', directory, ...aof];
}

async function askRedis<T>(url: string, commands: readonly string[][]): Promise<T[]> {
  const client = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  try {
    const replies: T[] = [];
    for (const command of commands) replies.push((await client.sendCommand(command)) as T);
    return replies;
  } finally {
    client.destroy();
  }
}
