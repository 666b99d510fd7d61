/**
 * A node's durable inbox and its ear on the bus. Guarantees: core/ports/broker.ts.
 *
 * Two connections beside the one for commands, however many sessions there are: a reader that blocks on the inbox, and
 * a subscriber. A blocked command stalls all behind it, so it never shares a connection.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../core/logger.js';
import type { Broker, BrokerHandlers, Signal } from '../core/ports/broker.js';
import type { Change } from '../core/ports/change-log.js';
import type { StoreLimits } from '../core/ports/store.js';
import { RedisClient } from './client.js';
import type { RedisConnection } from './connection.js';
import type { Keys } from './keys.js';
import type { LinkAccess } from './link.js';
import { afterLife } from './node-registry.js';
import { nextPosition } from './positions.js';
import { scripts } from './scripts.js';
import { Subscriber } from './subscriber.js';
import type { Topology } from './topology.js';

/** How long one blocking read waits. Bounds how late a dead socket is noticed, not how late a letter is. */
const BLOCK_MS = 2000;
/** A blocking read that is silent for this much longer than it asked for has lost its connection. */
const BLOCK_GRACE_MS = 2000;
/** Pause after a failed read: neither a hot loop nor a long deafness. */
const RETRY_MS = 200;
const LETTERS_PER_READ = 200;
/**
 * How often the subscription is told something by way of the other connection. It sends nothing by itself, so that its
 * socket can be without a peer for ever and not know.
 */
const PROBE_MS = 2000;
/** Probes in a row that may be missed: one can be late by a process that was busy. */
const MISSED_PROBES = 2;
const PROBE = 'probe';

interface WakeUpNote {
  readonly s: string;
  readonly t: string;
  readonly n: string;
  readonly c: string;
  /** How far the former holder got, once it has handed over. */
  readonly g?: string;
  readonly p?: string;
  readonly e?: [string, string, string][];
}

type InboxReply = [key: string, entries: [position: string, fields: string[]][]][] | null;

export interface RedisBrokerOptions {
  readonly redis: RedisConnection;
  readonly topology: Topology;
  readonly access: LinkAccess;
  readonly keys: Keys;
  readonly limits: StoreLimits;
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly setToken: (token: string) => void;
}

export function createRedisBroker(options: RedisBrokerOptions): Broker & { close(): void } {
  const { redis, topology, access, keys, limits, timeoutMs, logger } = options;
  const link = { access, connectTimeout: timeoutMs * 2 };
  /** Long enough for letters to survive a node that is slow; a dead node's inbox goes by itself. */
  const inboxLife = String(afterLife(limits));
  let token = '';
  let stopped = false;
  let subscriber: Subscriber | undefined;
  let reader: RedisClient | undefined;
  let release = (): void => undefined;
  let probing: NodeJS.Timeout | undefined;
  let probeHeard = true;

  const onError = (error: Error, server: string) => logger.debug({ error, server }, 'redis: connection error');

  function hear(handlers: BrokerHandlers, message: string, channel: string): void {
    if (message === PROBE) {
      probeHeard = true;
    } else if (channel === keys.bus) {
      handlers.onSignal(JSON.parse(message) as Signal);
    } else if (channel === keys.changeBus) {
      const [previous, position] = message.split(' ', 2) as [string, string];
      const change = JSON.parse(message.slice(previous.length + position.length + 2)) as Change;
      handlers.onChange(previous, { position, change });
    } else {
      const note = JSON.parse(message) as WakeUpNote;
      handlers.onWakeUp({
        sessionId: note.s,
        streamId: note.t,
        holder: { nodeToken: note.n, connectionId: note.c },
        ...(note.g !== undefined && { handedOver: note.g }),
        ...(note.p !== undefined &&
          note.e !== undefined && {
            events: {
              previous: note.p,
              entries: note.e.map(([position, data, end]) => ({ position, data, end: end === '1' })),
            },
          }),
      });
    }
  }

  function subscribe(handlers: BrokerHandlers): Promise<void> {
    return new Promise((resolve) => {
      // A node that begins without the store may have opened streams before this is effective: that is a gap, too.
      let effective = !redis.up;
      subscriber = new Subscriber({
        topology,
        link,
        channels: [keys.bus, keys.changeBus, keys.wakeUpChannels + token],
        onMessage: (message, channel) => {
          try {
            hear(handlers, message, channel);
          } catch (error) {
            logger.error({ error, channel }, 'bus: message not understood');
          }
        },
        onSubscribed: () => {
          if (effective) handlers.onGap();
          effective = true;
          resolve();
        },
        onError,
      });
      // Nobody waits for what will not come.
      release = resolve;
    });
  }

  /** A subscription that does not hear its probes is made anew; `onSubscribed` then tells of the gap. */
  function probeSubscription(): void {
    let missed = 0;
    const channel = keys.wakeUpChannels + token;
    probing = setInterval(() => {
      // A store that is away says nothing about the subscription.
      missed = probeHeard || !redis.up ? 0 : missed + 1;
      if (missed < MISSED_PROBES) {
        probeHeard = false;
        redis.command(channel, 'PUBLISH', channel, PROBE).catch(() => {
          probeHeard = true;
        });
        return;
      }
      missed = 0;
      probeHeard = true;
      logger.warn({}, 'bus: the subscription hears nothing, and is replaced');
      subscriber?.renew();
    }, PROBE_MS);
  }

  async function readInbox(handlers: BrokerHandlers): Promise<void> {
    const key = keys.inbox(token);
    let last = '0-0';
    const client = new RedisClient({ topology, link, eager: false, onError });
    reader = client;
    while (!stopped) {
      const args = ['XREAD', 'COUNT', String(LETTERS_PER_READ), 'BLOCK', String(BLOCK_MS), 'STREAMS', key, last];
      let reply: InboxReply;
      try {
        reply = (await answered(client.send(key, args))) as InboxReply;
      } catch (error) {
        if (stopped) return;
        logger.debug({ error }, 'inbox: read failed');
        if (error instanceof SilentConnection) client.reconnect();
        await sleep(RETRY_MS);
        continue;
      }
      for (const [position, fields] of reply?.[0]?.[1] ?? []) {
        last = position;
        try {
          const [, sessionId = '', , message = '', , traceparent] = fields;
          handlers.onLetter({ sessionId, message, ...(traceparent !== undefined && { traceparent }) });
        } catch (error) {
          logger.error({ error }, 'inbox: letter not understood');
        }
      }
      // Read letters leave the inbox; if this fails they stay until the next trim or the end of its life.
      if (reply !== null) redis.command(key, 'XTRIM', key, 'MINID', nextPosition(last)).catch(() => undefined);
    }
  }

  return {
    async start(nodeToken, handlers) {
      token = nodeToken;
      options.setToken(nodeToken);
      const subscribed = subscribe(handlers);
      probeSubscription();
      readInbox(handlers).catch((error: Error) => logger.error({ error }, 'inbox: reader ended'));
      // With Redis away the node starts all the same, live and not ready, and both take hold when it comes.
      if (redis.up) await subscribed;
      else subscribed.catch((error: Error) => logger.error({ error }, 'bus: subscription failed'));
    },

    async post(nodeToken, letter) {
      return (
        (await redis.run<number>(
          scripts.postLetter,
          [keys.inboxOpen(nodeToken), keys.inbox(nodeToken)],
          [letter.sessionId, letter.message, inboxLife, letter.traceparent ?? ''],
        )) === 1
      );
    },

    async signal(signal) {
      await redis.command(keys.bus, 'PUBLISH', keys.bus, JSON.stringify(signal));
    },

    async depth() {
      const key = keys.inbox(token);
      return redis.command<number>(key, 'XLEN', key);
    },

    async stop() {
      if (stopped) return;
      this.close();
      const key = keys.inbox(token);
      await redis.command(key, 'UNLINK', key).catch(() => undefined);
    },

    close() {
      stopped = true;
      clearInterval(probing);
      subscriber?.close();
      release();
      reader?.destroy();
    },
  };
}

class SilentConnection extends Error {}

function answered<T>(reply: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new SilentConnection('no answer to a blocking read')),
      BLOCK_MS + BLOCK_GRACE_MS,
    );
    reply.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
