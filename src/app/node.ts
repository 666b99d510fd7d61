/**
 * A node: the parts wired together, and their order of birth and death.
 *
 * Birth: store, name, broker, clock, listener. Death: readiness, listener, streams, calls, name, inbox, store. What
 * others see first goes first.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestHandler } from 'express';
import { ChangeFeed } from '../core/change-feed.js';
import { Hub } from '../core/hub.js';
import type { Logger } from '../core/logger.js';
import { type Store, StoreUnavailable } from '../core/ports/store.js';
import { newNodeToken, randomId } from '../core/random-id.js';
import { Relay } from '../core/relay.js';
import type { Notify } from '../core/server-context.js';
import { createGates } from '../http/gates.js';
import { createMcpRoute } from '../http/mcp-route.js';
import { createOpsRoutes, type HealthReport } from '../http/ops-routes.js';
import { createApplication, createRouter } from '../http/router.js';
import { createSseRoutes } from '../http/sse-route.js';
import { LegacyEra } from '../mcp/legacy-era.js';
import type { ServerModule } from '../mcp/server-module.js';
import { ServerSource } from '../mcp/server-source.js';
import { Clockwork } from './clockwork.js';
import type { Config } from './config-types.js';
import type { NodeMetrics } from './metrics.js';

/** Tails look at their logs by themselves this often: the longest that a lost hint can delay a message. */
const LOOK_MS = 5000;
/** Sessions renewed in one write to the store. */
const RENEW_AT_ONCE = 500;
/** Ended sessions taken out of the index at once. */
const SWEEP_AT_ONCE = 500;
/** When clients come back whose stream was closed by a node that goes. */
const RECONNECT_MS = 1000;
/** Longer than the idle time-outs of the usual balancers (60 s), which otherwise send into a connection we just closed. */
const KEEP_ALIVE_MS = 75_000;

export interface NodeParts {
  readonly config: Config;
  readonly store: Store;
  readonly module: ServerModule;
  readonly metrics: NodeMetrics;
  readonly logger: Logger;
}

export class Node {
  /** Middleware for an express application: all routes of the node; what it does not know is passed on. */
  readonly handler: RequestHandler;

  readonly #parts: NodeParts;
  readonly #token = newNodeToken();
  readonly #hub: Hub;
  readonly #feed: ChangeFeed;
  readonly #relay: Relay;
  readonly #era: LegacyEra;
  readonly #clock: Clockwork;
  readonly #application: ReturnType<typeof createApplication>;
  readonly #opsApplication: ReturnType<typeof createApplication>;
  readonly #servers: Server[] = [];
  #nodeId: string;
  #started: Promise<void> | undefined;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, store, metrics, logger } = parts;
    this.#nodeId = config.nodeId;
    this.#hub = new Hub(store.log, logger);
    this.#feed = new ChangeFeed(store.changes, logger);
    this.#feed.listen((entry) => this.#hub.change(entry));
    this.#relay = new Relay({ hub: this.#hub, broker: store.broker, metrics, nodeToken: this.#token });
    this.#clock = new Clockwork(logger);
    const self = this;
    const identity = {
      get nodeId() {
        return self.#nodeId;
      },
      notify: this.notify,
    };
    this.#era = new LegacyEra({
      ...parts,
      get nodeId() {
        return self.#nodeId;
      },
      nodeToken: this.#token,
      hub: this.#hub,
      relay: this.#relay,
      servers: new ServerSource(parts.module, identity),
      notify: this.notify,
      streamUpgradeMs: config.streamUpgradeMs,
    });
    const gates = createGates(config);
    const route = {
      era: this.#era,
      maxBodyBytes: config.maxBodyBytes,
      maxSessions: config.maxSessions,
      keepAliveMs: config.sseKeepaliveMs,
    };
    const { sse, messages } = createSseRoutes(route);
    const routes = { '/mcp': createMcpRoute(route), '/sse': sse, '/messages': messages };
    const ops = createOpsRoutes({ health: () => this.health(), metrics: () => metrics.render() });
    const { '/metrics': _metrics, ...probes } = ops;
    const router = createRouter({ gates, routes, ops: config.opsPort === undefined ? ops : probes, logger });
    this.handler = router;
    this.#application = createApplication(router, gates, logger);
    // Whoever reaches the port of the operators is let in by the network, not by a token.
    const opsGates = createGates({ ...config, authTokens: new Map() });
    this.#opsApplication = createApplication(
      createRouter({ gates: opsGates, routes: {}, ops, logger }),
      opsGates,
      logger,
    );
  }

  /** Unique among the living nodes; a suffix is added at start where another one has the configured name. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /** Tells every node, and through them every client that wants to know, what has changed. */
  readonly notify: Notify = {
    toolsChanged: async () => void (await this.#parts.store.changes.append({ kind: 'tools' })),
    promptsChanged: async () => void (await this.#parts.store.changes.append({ kind: 'prompts' })),
    resourcesChanged: async () => void (await this.#parts.store.changes.append({ kind: 'resources' })),
    resourceUpdated: async (uri) => void (await this.#parts.store.changes.append({ kind: 'resource', uri })),
  };

  /** Takes the node's place in the fleet. Called by `listen`; needed of its own only when mounted. Idempotent. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { store, config } = this.#parts;
    await this.#claimName();
    await store.broker.start(this.#token, {
      onLetter: (letter) => this.#relay.deliver(letter),
      onWakeUp: (wakeUp) => this.#hub.wakeUp(wakeUp),
      onSignal: (signal) => this.#hub.signal(signal),
      onChange: (previous, entry) => this.#feed.hear(previous, entry),
      onGap: () => void this.#lookAtEverything(),
    });
    await this.#feed.look();

    const { nodeLeaseMs, sseKeepaliveMs, sessionTtlMs } = config;
    this.#clock.every(nodeLeaseMs / 3, 'heartbeat', () => this.#heartbeat());
    this.#clock.every(LOOK_MS, 'look', () => this.#lookAtEverything());
    if (sseKeepaliveMs > 0) {
      this.#clock.every(sseKeepaliveMs, 'keep-alive', () => {
        for (const tail of this.#hub.tails()) tail.keepAlive();
      });
    }
    this.#clock.every(clamp(sessionTtlMs / 3, 200, 20_000), 'renew', () => this.#renewSessions());
    const sweepMs = clamp(sessionTtlMs / 4, 250, 5000);
    this.#clock.every(sweepMs, 'sweep', () => this.#sweep(sweepMs));
  }

  /** Listens. @throws the listener's error, such as a port that is taken. */
  async listen(port = this.#parts.config.port, host = this.#parts.config.host): Promise<{ readonly port: number }> {
    const { opsPort } = this.#parts.config;
    const server = createServer((req, res) => {
      if (this.#draining) res.setHeader('Connection', 'close');
      this.#application(req, res);
    });
    // Bound before the node takes its place in the fleet: a port that is taken must leave no trace there.
    const address = await listen(server, port, host);
    this.#servers.push(server);
    if (opsPort !== undefined) {
      const opsServer = createServer(this.#opsApplication);
      const opsAddress = await listen(opsServer, opsPort, host);
      this.#servers.push(opsServer);
      this.#parts.logger.info({ opsPort: opsAddress.port }, 'listening for operators');
    }
    await this.start();
    return { port: address.port };
  }

  async health(): Promise<HealthReport> {
    const { store } = this.#parts;
    let activeSessions: number | null = null;
    let reason: string | undefined;
    try {
      activeSessions = await store.sessions.count();
    } catch (error) {
      reason = error instanceof StoreUnavailable ? error.message : 'the store answers with errors';
    }
    const status = this.#draining ? 'draining' : reason === undefined ? 'healthy' : 'unhealthy';
    return {
      status,
      nodeId: this.#nodeId,
      activeSessions,
      timestamp: new Date().toISOString(),
      checks: { store: { kind: store.kind, status: reason === undefined ? 'up' : 'down', ...(reason && { reason }) } },
      uptimeSeconds: Math.floor(process.uptime()),
    };
  }

  /**
   * Leaves the fleet in order: readiness fails, then no new connections, then streams end and calls finish, within
   * `DRAIN_TIMEOUT_MS`. Idempotent.
   */
  drain(): Promise<void> {
    this.#closed ??= this.#drain(this.#parts.config.drainDelayMs, this.#parts.config.drainTimeoutMs);
    return this.#closed;
  }

  /** Leaves at once: streams end and running calls are given up. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#drain(0, 0);
    return this.#closed;
  }

  async #drain(delayMs: number, timeoutMs: number): Promise<void> {
    const { store, logger } = this.#parts;
    this.#draining = true;
    logger.info({}, 'draining');
    await sleep(delayMs);
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    this.#hub.closeMainTails(RECONNECT_MS);
    const deadline = Date.now() + timeoutMs;
    while (this.#hub.exchangeCount > 0 && Date.now() < deadline) await sleep(50);
    this.#hub.closeTails(RECONNECT_MS);
    await sleep(0);
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(closed);
    this.#clock.stop();
    this.#era.stop();
    this.#hub.stop();
    if (this.#started) {
      await this.#started.catch(() => undefined);
      await store.nodes.release(this.#nodeId, this.#token).catch(() => undefined);
      await store.broker.stop().catch(() => undefined);
    }
    await store.close();
    logger.info({}, 'stopped');
  }

  async #claimName(): Promise<void> {
    const { store, config, logger } = this.#parts;
    try {
      while (!(await store.nodes.claim(this.#nodeId, this.#token))) {
        this.#nodeId = `${config.nodeId}-${randomId(3)
          .toLowerCase()
          .replace(/[^a-z0-9]/g, '0')}`;
        logger.warn(
          { configured: config.nodeId, taken: this.#nodeId },
          'another living node has this name: suffix added',
        );
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      logger.warn({}, 'the store is out of reach: the node is live but not ready');
    }
  }

  async #heartbeat(): Promise<void> {
    const { nodes } = this.#parts.store;
    if (await nodes.heartbeat(this.#nodeId, this.#token)) return;
    if (!(await nodes.claim(this.#nodeId, this.#token))) await this.#claimName();
  }

  async #lookAtEverything(): Promise<void> {
    await Promise.all([this.#feed.look(), this.#hub.lookAtEverything()]);
  }

  /** Sessions in use here do not run out; those that are gone lose their streams, also when the signal was lost. */
  async #renewSessions(): Promise<void> {
    const ids = this.#hub.sessionIds();
    for (let i = 0; i < ids.length; i += RENEW_AT_ONCE) {
      const gone = await this.#parts.store.sessions.renew(ids.slice(i, i + RENEW_AT_ONCE));
      for (const id of gone) this.#hub.end(id);
    }
  }

  async #sweep(everyMs: number): Promise<void> {
    const { store, metrics } = this.#parts;
    // Held for longer than the pause between two turns, so that the duty stays with one node while that lives.
    if (!(await store.nodes.lead('sweep', this.#token, everyMs * 3))) return;
    const { expired, maxAge } = await store.sessions.sweep(SWEEP_AT_ONCE);
    if (expired > 0) metrics.sessionsEnded('expired', expired);
    if (maxAge > 0) metrics.sessionsEnded('max_age', maxAge);
  }
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
