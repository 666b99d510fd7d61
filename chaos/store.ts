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
import { Link } from './link.js';

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
    await this.#replace(this.port, async (next) => {
      await this.ask(['FAILOVER', 'TO', '127.0.0.1', String(next.port), 'TIMEOUT', '5000']);
    });
  }

  /**
   * The primary is lost with what had not reached its replica, which is promoted. `unreplicated` runs when the replica has
   * all and gets nothing more.
   */
  async losePrimary(unreplicated: () => Promise<void>): Promise<void> {
    const link = await Link.open({ port: this.port }, () => 0);
    try {
      await this.#replace(link.port, async (next) => {
        // WAIT is about what its own connection wrote, so that has to write something.
        const [, reached] = await this.ask<unknown>(
          ['SET', 'chaos:replicated', '1', 'PX', '60000'],
          ['WAIT', '1', '10000'],
        );
        if (reached !== 1) throw new Error('the replica does not follow');
        link.refuse();
        await unreplicated();
        await this.kill();
        await askRedis(next.url, [['REPLICAOF', 'NO', 'ONE']]);
      });
    } finally {
      link.close();
    }
  }

  /** A replica, by way of the port named, takes the place of the server once `promote` has made it the primary. */
  async #replace(port: number, promote: (next: RedisServer) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'anynode-chaos-redis-'));
    const following = ['--replicaof', '127.0.0.1', String(port)];
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
      // Its own file too: a kill right after it was promoted must find all of it.
      await says(next.url, 'master_link_status:up', 'aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0');
      await promote(next);
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
