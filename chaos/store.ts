/**
 * The Redis of a run: a process of its own whose data outlives it, so that it can be killed and come back.
 *
 * `appendfsync` is what an acknowledgement means: `always` is what the runs of the proof use, `none` keeps nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { type RedisServer, startRedis } from '../test/support/redis.js';

export type Persistence = 'always' | 'everysec' | 'none';

export class Store {
  readonly #directory: string;
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

  freeze(): void {
    process.kill(this.#server.pid, 'SIGSTOP');
    this.#stopped = true;
  }

  thaw(): void {
    if (this.#stopped) process.kill(this.#server.pid, 'SIGCONT');
    this.#stopped = false;
  }

  /** Commands of an operator, past every link, on a connection of their own. */
  async ask<T>(...commands: readonly string[][]): Promise<T[]> {
    const client = createClient({ url: this.url });
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
