/**
 * A real Cluster: three masters with a third of the slots each, and a replica for each where a test takes one away.
 */
import { createClient, createCluster } from 'redis';
import { eventually } from './eventually.js';
import {
  freePort,
  type Inspector,
  type RedisEntrance,
  type RedisServer,
  type RedisServerOptions,
  startRedis,
} from './redis.js';

const MASTERS = 3;
const SLOTS = 16_384;
/** How soon the others believe that a server is gone; a fail-over takes about twice as long. */
const NODE_TIMEOUT_MS = 1000;
const START_DEADLINE_MS = 30_000;

export interface ClusterOptions {
  /** Replicas of each master. Default 0. */
  readonly replicas?: number;
  readonly server?: RedisServerOptions;
}

export interface ClusterSetup extends RedisEntrance {
  readonly servers: readonly RedisServer[];
  /** The server that has a key. */
  ownerOf(key: string): Promise<RedisServer>;
  /** Resolves when all others know of another master in the place of `former`. */
  promoted(former: RedisServer): Promise<void>;
  /** Sends one command to one server. */
  ask(server: RedisServer, ...args: string[]): Promise<unknown>;
}

export async function startCluster({ replicas = 0, server: options = {} }: ClusterOptions = {}): Promise<ClusterSetup> {
  const servers: RedisServer[] = [];
  const buses = new Map<RedisServer, number>();
  const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())));
  const start = async (): Promise<RedisServer> => {
    // Its port would be that of the server plus 10000, which need not be free, nor be a port.
    const bus = await freePort();
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(bus)];
    const timing = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-replica-validity-factor', '0'];
    const fast = ['--repl-diskless-sync-delay', '0'];
    const secured = options.tls ? ['--tls-cluster', 'yes', '--tls-replication', 'yes'] : [];
    const args = [...cluster, ...timing, ...fast, ...secured, ...(options.args ?? [])];
    const server = await startRedis({ ...options, args });
    servers.push(server);
    buses.set(server, bus);
    return server;
  };

  try {
    await Promise.all(Array.from({ length: MASTERS * (1 + replicas) }, start));
    const [first, ...others] = servers as [RedisServer, ...RedisServer[]];
    for (const [i, server] of servers.entries()) await ask(server, 'CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    for (const other of others) {
      await ask(first, 'CLUSTER', 'MEET', '127.0.0.1', String(other.servicePort), String(buses.get(other)));
    }
    const masters = servers.slice(0, MASTERS);
    for (const [i, master] of masters.entries()) {
      const [from, to] = [i, i + 1].map((n) => Math.floor((n * SLOTS) / MASTERS)) as [number, number];
      await ask(master, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1));
    }
    for (const [i, replica] of servers.slice(MASTERS).entries()) {
      const id = String(await ask(masters[i % MASTERS] as RedisServer, 'CLUSTER', 'MYID'));
      await eventually(async () => (await ask(replica, 'CLUSTER', 'REPLICATE', id)) === 'OK', {
        deadlineMs: START_DEADLINE_MS,
      });
    }
    for (const server of servers) {
      await eventually(() => isFormed(server, servers.length), { what: 'a Cluster', deadlineMs: START_DEADLINE_MS });
    }
    return {
      url: `redis${options.tls ? 's' : ''}+cluster://${servers.map(({ servicePort }) => `127.0.0.1:${servicePort}`).join(',')}`,
      servers,
      ask,
      async ownerOf(key) {
        const slot = Number(await ask(first, 'CLUSTER', 'KEYSLOT', key));
        const range = (await slotsOf(first)).find(({ from, to }) => from <= slot && slot <= to);
        return servers.find(({ port }) => port === range?.master) as RedisServer;
      },
      async promoted(former) {
        const others = servers.filter((server) => server !== former);
        for (const server of others) {
          await eventually(
            async () => {
              const state = String(await ask(server, 'CLUSTER', 'INFO'));
              const ranges = await slotsOf(server);
              return state.includes('cluster_state:ok') && ranges.every(({ master }) => master !== former.port);
            },
            { what: 'a promotion', deadlineMs: START_DEADLINE_MS },
          );
        }
      },
      stop,
      inspector: () => createClusterInspector(servers),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** It has the calls of a single server's, and `keys` asks all of them. */
function createClusterInspector(servers: readonly RedisServer[]): Inspector {
  const cluster = createCluster({ rootNodes: servers.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })) });
  return cluster as unknown as Inspector;
}

async function slotsOf(server: RedisServer): Promise<{ from: number; to: number; master: number }[]> {
  const ranges = (await ask(server, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  return ranges.map(([from, to, [, master]]) => ({ from, to, master }));
}

async function isFormed(server: RedisServer, count: number): Promise<boolean> {
  const info = String(await ask(server, 'CLUSTER', 'INFO'));
  if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${count}\r`)) return false;
  const replication = String(await ask(server, 'INFO', 'replication'));
  return replication.includes('role:master') || replication.includes('master_link_status:up');
}

async function ask({ port }: RedisServer, ...args: string[]): Promise<unknown> {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 2, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}
