/**
 * A node: the parts wired together, and their order of birth and death.
 *
 * Birth: store, name, broker, clock, listener. Death: readiness, listener, streams, calls, name, inbox, store. What
 * others see first goes first.
 */
import { createServer, type Server } from 'node:http';

import { ChangeFeed } from '../core/change-feed.js';
import { Hub } from '../core/hub.js';
import type { Logger } from '../core/logger.js';
import { type Store, StoreUnavailable } from '../core/ports/store.js';
import { newNodeToken } from '../core/random-id.js';
import { Relay } from '../core/relay.js';
import type { Notify } from '../core/server-context.js';
import { createGates } from '../http/gates.js';
import { createMcpRoute } from '../http/mcp-route.js';
import { createOpsRoutes, type HealthReport } from '../http/ops-routes.js';
import { createApplication, createRouter, type Middleware, type Routing } from '../http/router.js';
import { createSseRoutes } from '../http/sse-route.js';
import { FixedLists } from '../mcp/fixed-lists.js';
import { createFleetAccess, type Fleet } from '../mcp/fleet.js';
import { LegacyEra } from '../mcp/legacy-era.js';
import { ModernEra } from '../mcp/modern-era.js';
import { Recovery } from '../mcp/recovery.js';
import { RequestStates } from '../mcp/request-states.js';
import type { ServerModule } from '../mcp/server-module.js';
import { ServerSource } from '../mcp/server-source.js';
import { refreshMainStreams } from '../mcp/session-streams.js';
import { Clockwork } from './clockwork.js';
import type { Config } from './config-types.js';
import { takeUpDuties } from './duties.js';
import { listen } from './listen.js';
import { Membership } from './membership.js';
import type { NodeMetrics } from './metrics.js';

/** When clients come back whose stream was closed by a node that goes. */
const RECONNECT_MS = 1000;
/** How long a leaving node waits for the last answers to be written. */
const LAST_ANSWERS_MS = 2000;

export interface NodeParts {
  readonly config: Config;
  readonly store: Store;
  readonly module: ServerModule;
  readonly metrics: NodeMetrics;
  readonly logger: Logger;
  /** False: a member that sends and is answered, and leaves all duties of the fleet to the others. */
  readonly serves: boolean;
}

export class Node {
  /** Middleware for an express application: all routes of the node; what it does not know is passed on. */
  readonly handler: Middleware;

  readonly #parts: NodeParts;
  readonly #token = newNodeToken();
  readonly #membership: Membership;
  readonly #hub: Hub;
  readonly #feed: ChangeFeed;
  readonly #relay: Relay;
  readonly #era: LegacyEra;
  readonly #states: RequestStates;
  readonly #modern: ModernEra;
  readonly #clock: Clockwork;
  readonly #direct: Routing['direct'];
  readonly #application: ReturnType<typeof createApplication>;
  readonly #opsApplication: ReturnType<typeof createApplication>;
  readonly #servers: Server[] = [];
  #started: Promise<void> | undefined;
  /** Responses that are not over. */
  #answering = 0;
  #joined = false;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, store, metrics, logger } = parts;
    this.#membership = new Membership({
      store,
      logger,
      nodeToken: this.#token,
      configuredId: config.nodeId,
      leaseMs: config.nodeLeaseMs,
    });
    this.#hub = new Hub(store.log, logger, (nodeToken) => store.nodes.isAlive(nodeToken));
    this.#feed = new ChangeFeed(store.changes, logger);
    this.#feed.listen(
      (entry) => this.#hub.change(entry),
      () => this.#hub.changesMissed(),
    );
    this.#relay = new Relay({ hub: this.#hub, broker: store.broker, metrics, nodeToken: this.#token });
    this.#clock = new Clockwork(logger);
    const self = this;
    const identity = {
      get nodeId() {
        return self.nodeId;
      },
      notify: this.notify,
    };
    const servers = new ServerSource(parts.module, identity);
    this.#states = new RequestStates({
      secrets: config.stateSecrets,
      store: store.secrets,
      ttlMs: config.stateTtlMs,
    });
    this.#modern = new ModernEra({
      ...parts,
      get nodeId() {
        return self.nodeId;
      },
      servers,
      states: this.#states,
      notify: this.notify,
      feed: this.#feed,
      maxListenStreams: config.maxListenStreams,
      maxListenStreamsPerUser: config.maxListenStreamsPerUser,
      keepAliveMs: config.sseKeepaliveMs,
    });
    this.#era = new LegacyEra({
      ...parts,
      get nodeId() {
        return self.nodeId;
      },
      nodeToken: this.#token,
      hub: this.#hub,
      relay: this.#relay,
      servers,
      states: this.#states,
      notify: this.notify,
      ...(parts.module.fixedLists && { fixedLists: new FixedLists(this.#feed, store.changes) }),
      streamUpgradeMs: config.streamUpgradeMs,
    });
    this.fleet = createFleetAccess({
      hub: this.#hub,
      nodeToken: this.#token,
      writeMain: (sessionId) => this.#era.writeMain(sessionId),
      started: () => this.start(),
    });
    const gates = createGates(config);
    const route = {
      era: this.#era,
      modern: this.#modern,
      maxBodyBytes: config.maxBodyBytes,
      maxSessions: config.maxSessions,
      keepAliveMs: config.sseKeepaliveMs,
    };
    const { sse, messages } = createSseRoutes(route);
    const routes = { '/mcp': createMcpRoute(route), '/sse': sse, '/messages': messages };
    const ops = createOpsRoutes({ health: () => this.health(), metrics: () => metrics.render() });
    const { '/metrics': _metrics, ...probes } = ops;
    const { router, direct } = createRouter({
      gates,
      routes,
      ops: config.opsPort === undefined ? ops : probes,
      logger,
    });
    this.#direct = direct;
    this.handler = router;
    this.#application = createApplication(router, gates, logger);
    // Whoever reaches the port of the operators is let in by the network, not by a token.
    const opsGates = createGates({ ...config, authTokens: new Map() });
    this.#opsApplication = createApplication(
      createRouter({ gates: opsGates, routes: {}, ops, logger }).router,
      opsGates,
      logger,
    );
  }

  /** Unique among the living nodes; a suffix is added where another one has the configured name. */
  get nodeId(): string {
    return this.#membership.nodeId;
  }

  /** Tells every node, and through them every client that wants to know, what has changed. */
  readonly notify: Notify = {
    toolsChanged: async () => void (await this.#parts.store.changes.append({ kind: 'tools' })),
    promptsChanged: async () => void (await this.#parts.store.changes.append({ kind: 'prompts' })),
    resourcesChanged: async () => void (await this.#parts.store.changes.append({ kind: 'resources' })),
    resourceUpdated: async (uri) => void (await this.#parts.store.changes.append({ kind: 'resource', uri })),
  };

  /** Messages to any session of the fleet, from outside of any request. */
  readonly fleet: Fleet;

  /** Takes the node's place in the fleet. Called by `listen`; needed of its own only when mounted. Idempotent. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { store, serves } = this.#parts;
    await this.#membership.join();
    await store.broker.start(this.#token, {
      onLetter: (letter) => this.#relay.deliver(letter),
      onWakeUp: (wakeUp) => this.#hub.wakeUp(wakeUp),
      onSignal: (signal) => this.#hub.signal(signal),
      onChange: (previous, entry) => this.#feed.hear(previous, entry),
      onGap: () => void this.#afterGap(),
    });
    await this.#feed.look();
    takeUpDuties(this.#clock, {
      ...this.#parts,
      hub: this.#hub,
      feed: this.#feed,
      membership: this.#membership,
      modern: this.#modern,
      states: this.#states,
      nodeToken: this.#token,
      recovery: serves ? new Recovery(this.#era) : undefined,
    });
    this.#joined = true;
  }

  /** Hints were lost: whatever they could have told is looked up. */
  async #afterGap(): Promise<void> {
    await Promise.all([this.#feed.look(), this.#hub.lookAtEverything(), refreshMainStreams(this.#era)]);
  }

  /** Listens. @throws the listener's error, such as a port that is taken. */
  async listen(port = this.#parts.config.port, host = this.#parts.config.host): Promise<{ readonly port: number }> {
    const { opsPort } = this.#parts.config;
    const server = createServer((req, res) => {
      this.#answering += 1;
      res.once('close', () => {
        this.#answering -= 1;
      });
      if (this.#draining) res.setHeader('Connection', 'close');
      const handler = this.#direct.get(req.url ?? '');
      if (handler) handler(req, res);
      else this.#application(req, res);
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

  /** The store was away, and may have lost everything: our lease and what the fleet shares go first. */
  storeIsBack(): void {
    if (!this.#joined) return;
    Promise.all([this.#membership.heartbeat(), this.#states.refresh()]).catch((error: Error) =>
      this.#parts.logger.debug({ error }, 'the store is away again'),
    );
  }

  async health(): Promise<HealthReport> {
    const { store } = this.#parts;
    let activeSessions: number | null = null;
    let reason: string | undefined;
    try {
      [activeSessions] = await Promise.all([store.sessions.count(), store.checkWritable()]);
    } catch (error) {
      reason = error instanceof StoreUnavailable ? error.message : 'the store answers with errors';
    }
    const serves = this.#joined && reason === undefined;
    const status = this.#draining ? 'draining' : serves ? 'healthy' : 'unhealthy';
    return {
      status,
      nodeId: this.nodeId,
      activeSessions,
      timestamp: new Date().toISOString(),
      checks: {
        // Bound, but not yet a member of the fleet: nobody could be answered here.
        node: { status: this.#joined ? 'up' : 'starting' },
        store: { kind: store.kind, status: reason === undefined ? 'up' : 'down', ...(reason && { reason }) },
      },
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
    await this.#modern.endSubscriptions();
    const deadline = Date.now() + timeoutMs;
    while (this.#hub.exchangeCount + this.#modern.running > 0 && Date.now() < deadline) await sleep(50);
    // What still runs is left as it is in the journal: the survivors take it over like the calls of a dead node.
    this.#hub.relinquish();
    await this.#modern.stop();
    this.#hub.closeTails(RECONNECT_MS);
    // Requests that had come in before the listener closed get their answers; what is left after that is idle.
    const patience = Date.now() + LAST_ANSWERS_MS;
    do await sleep(20);
    while (this.#answering > 0 && Date.now() < patience);
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(closed);
    this.#clock.stop();
    this.#era.stop();
    this.#hub.stop();
    if (this.#started) {
      await this.#started.catch(() => undefined);
      await this.#membership.leave().catch(() => undefined);
      await store.broker.stop().catch(() => undefined);
    }
    await store.close();
    logger.info({}, 'stopped');
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
