/**
 * A real Sentinel set-up: one master, two replicas, three Sentinels, all processes of their own on free ports. It notices
 * the loss of its master within a second, so that tests of fail-overs are short.
 */
import { createClient } from 'redis';
import { eventually } from './eventually.js';
import { type RedisEntrance, type RedisServer, type RedisServerOptions, startRedis } from './redis.js';

const MASTER = 'main';
const DOWN_AFTER_MS = 800;
const START_DEADLINE_MS = 20_000;

export interface SentinelSetup extends RedisEntrance {
  readonly sentinels: readonly RedisServer[];
  /** The server that the Sentinels name as master: it has every key. */
  ownerOf(key?: string): Promise<RedisServer>;
  /** Resolves when the Sentinels name another master than `former`. */
  promoted(former: RedisServer): Promise<RedisServer>;
  /** Sends one command to a Sentinel or server of the set. */
  ask(server: RedisServer, ...args: string[]): Promise<unknown>;
}

export async function startSentinelSetup({ tls }: Pick<RedisServerOptions, 'tls'> = {}): Promise<SentinelSetup> {
  const running: RedisServer[] = [];
  const start = async ({ args = [], ...options }: RedisServerOptions): Promise<RedisServer> => {
    const secured = tls ? { tls, args: [...args, '--tls-replication', 'yes'] } : { args };
    const server = await startRedis({ ...options, ...secured });
    running.push(server);
    return server;
  };
  const stop = async (): Promise<void> => void (await Promise.all(running.map((server) => server.stop())));
  try {
    const first = await start({});
    // Without a disk in between and without a pause: a replica that starts with the master has nothing to wait for.
    const args = ['--replicaof', `127.0.0.1 ${first.servicePort}`, '--repl-diskless-sync-delay', '0'];
    await ask(first, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
    const servers = [first, ...(await Promise.all([start({ args }), start({ args })]))];
    const sentinel = [
      `sentinel monitor ${MASTER} 127.0.0.1 ${first.servicePort} 2`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER} 6000`,
      `sentinel parallel-syncs ${MASTER} 2`,
    ].join('\n');
    const sentinels = await Promise.all([1, 2, 3].map(() => start({ sentinel: `${sentinel}\n` })));
    for (const each of sentinels) await eventually(() => knowsAll(each), { deadlineMs: START_DEADLINE_MS });

    const ownerOf = async (): Promise<RedisServer> => {
      const [, port] = (await ask(
        sentinels[0] as RedisServer,
        'SENTINEL',
        'GET-MASTER-ADDR-BY-NAME',
        MASTER,
      )) as string[];
      const found = servers.find((server) => String(server.servicePort) === port);
      if (!found) throw new Error(`the Sentinels name port ${port}`);
      return found;
    };
    return {
      url: `redis${tls ? 's' : ''}+sentinel://${sentinels.map(({ servicePort }) => `127.0.0.1:${servicePort}`).join(',')}/${MASTER}`,
      sentinels,
      ownerOf,
      ask,
      promoted: (former) =>
        eventually(
          async () => {
            const now = await ownerOf();
            return now !== former && now;
          },
          { what: 'a promotion', deadlineMs: START_DEADLINE_MS },
        ),
      stop,
      inspector: () => createClient({ url: plainUrl(first) }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Fail-overs need a Sentinel that knows the replicas, all in order, and the other Sentinels. */
async function knowsAll(sentinel: RedisServer): Promise<boolean> {
  const text = JSON.stringify(await ask(sentinel, 'SENTINEL', 'REPLICAS', MASTER));
  const others = (await ask(sentinel, 'SENTINEL', 'SENTINELS', MASTER)) as unknown[];
  return others.length === 2 && text.split('"master-link-status","ok"').length === 3;
}

const plainUrl = ({ port }: RedisServer): string => `redis://127.0.0.1:${port}`;

async function ask(server: RedisServer, ...args: string[]): Promise<unknown> {
  const client = createClient({
    url: plainUrl(server),
    RESP: 2,
    disableClientInfo: true,
    socket: { reconnectStrategy: false },
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}
