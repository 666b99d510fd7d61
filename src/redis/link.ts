/**
 * One connection to one server, as the client library makes it. The one place that knows its options.
 *
 * Not here: which server (topology.ts), deadlines and the breaker (connection.ts).
 */
import { createClient } from 'redis';
import type { RedisAddress, RedisTarget } from '../core/redis-target.js';

export type Link = ReturnType<typeof createLink>;

/** How a server is entered; the same for all of a topology, but for Sentinels, which have no databases and no users of Redis. */
export type LinkAccess = Pick<RedisTarget, 'username' | 'password' | 'database' | 'tls'>;

export interface LinkOptions {
  readonly access: LinkAccess;
  readonly connectTimeout: number;
}

/**
 * What all links have in common. `timeout: 0` switches the library's own deadline off: it makes an abort signal and a timer
 * for every command, and it ends with the writing of the command, which an open but silent socket passes easily. Without
 * `disableClientInfo` an access rule would have to allow commands that nothing here needs.
 */
const COMMON = {
  RESP: 2,
  disableOfflineQueue: true,
  disableClientInfo: true,
  maintNotifications: 'disabled',
  commandOptions: { timeout: 0 },
} as const;

/** The library builds a class for each set of options, some 20 ms of work; a duplicate shares that of its model. */
const model = createClient(COMMON);

/** Not connected yet. Commands are rejected at once while there is no connection; a lost one does not come back. */
export function createLink({ host, port }: RedisAddress, { access, connectTimeout }: LinkOptions) {
  const { username, password, database, tls } = access;
  const plain = { host, port, connectTimeout, reconnectStrategy: false as const };
  return model.duplicate({
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    socket: tls === undefined ? plain : { ...plain, tls: true, ...tlsOptions(tls) },
  });
}

/** Ends a link, whatever state it is in. */
export function endLink(link: Link): void {
  // An error that was on its way must not find nobody listening.
  link.removeAllListeners().on('error', () => undefined);
  if (link.isOpen) link.destroy();
}

function tlsOptions({ ca, cert, key, serverName }: NonNullable<LinkAccess['tls']>) {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}
