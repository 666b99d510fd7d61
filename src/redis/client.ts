/**
 * The one place that knows the client library: a single server, a Sentinel set or a Cluster behind the same few calls.
 *
 * Not here: deadlines and the breaker (connection.ts), key names (keys.ts).
 */
import { createClient, createCluster, createSentinel } from 'redis';
import type { RedisTarget } from '../core/redis-target.js';

export interface RedisClient {
  connect(): Promise<void>;
  /** Sends one command to the node that serves `key`. Rejects at once while there is no connection. */
  send(key: string, args: readonly string[]): Promise<unknown>;
  subscribe(channels: string[], listener: (message: string, channel: string) => void): Promise<void>;
  destroy(): void;
}

export interface ClientEvents {
  /** A connection is usable; called again after each reconnection. */
  onReady(): void;
  onError(error: Error): void;
}

/** Reconnects for ever, quickly at first: nothing restarts because Redis was away. The jitter spreads a fleet. */
const reconnectStrategy = (retries: number): number =>
  Math.min(50 * 2 ** Math.min(retries, 5), 1000) + Math.random() * 100;

/**
 * `timeout: 0` switches the library's own deadline off: it makes an abort signal and a timer for every command, and it
 * ends with the writing of the command, which an open but silent socket passes easily.
 */
const commandOptions = { timeout: 0 };

const common = { disableOfflineQueue: true, commandOptions, maintNotifications: 'disabled' } as const;

export function createRedisClient(target: RedisTarget, events: ClientEvents, connectTimeout: number): RedisClient {
  const socket = { reconnectStrategy, connectTimeout };
  if (target.kind === 'single') {
    const client = createClient({ ...common, RESP: 2, url: target.url, socket });
    client.on('ready', events.onReady).on('error', events.onError);
    return {
      connect: async () => void (await client.connect()),
      send: (_key, args) => client.sendCommand(args),
      subscribe: (channels, listener) => client.subscribe(channels, listener),
      destroy: () => client.destroy(),
    };
  }
  const credentials = {
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
  };
  if (target.kind === 'sentinel') {
    const client = createSentinel({
      RESP: 2,
      name: target.master,
      sentinelRootNodes: [...target.nodes],
      commandOptions,
      nodeClientOptions: {
        ...common,
        ...credentials,
        ...(target.database !== undefined && { database: target.database }),
        socket,
      },
      sentinelClientOptions: { socket },
    });
    client.on('error', events.onError);
    // A new master means a new connection: hints may have been lost on the way.
    client.on('topology-change', (event: { type: string }) => event.type === 'MASTER_CHANGE' && events.onReady());
    return {
      connect: async () => {
        await client.connect();
        events.onReady();
      },
      send: (_key, args) => client.sendCommand(false, [...args]),
      subscribe: (channels, listener) => client.subscribe(channels, listener),
      destroy: () => client.destroy(),
    };
  }
  const client = createCluster({
    rootNodes: target.nodes.map(({ host, port }) => ({ socket: { host, port } })),
    RESP: 2,
    commandOptions,
    defaults: { ...common, ...credentials, socket },
  });
  client.on('error', events.onError);
  client.on('node-ready', events.onReady);
  return {
    connect: async () => {
      await client.connect();
      events.onReady();
    },
    send: (key, args) => client.sendCommand(key, false, [...args]),
    subscribe: (channels, listener) => client.subscribe(channels, listener),
    destroy: () => client.destroy(),
  };
}
