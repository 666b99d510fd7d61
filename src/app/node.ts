/**
 * A node: the parts wired together, and their order of birth and death.
 *
 * Birth: store, name, broker, clock, listener. Death: readiness, listener, streams, calls, name, inbox, store. What
 * others see first goes first.
 */
import { Audit } from '../core/audit.js';
import { ChangeFeed } from '../core/change-feed.js';
import { Hub } from '../core/hub.js';
import { HeldPlaces } from '../core/limits/held-places.js';
import type { Logger } from '../core/logger.js';
import type { Store } from '../core/ports/store.js';
import { newNodeToken } from '../core/random-id.js';
import { Relay } from '../core/relay.js';
import type { Notify } from '../core/server-context.js';
import { TokenExpiry } from '../core/token-expiry.js';
import type { Tracing } from '../core/tracing.js';
import type { HealthReport } from '../http/ops-routes.js';
import type { Middleware } from '../http/router.js';
import { FixedLists } from '../mcp/fixed-lists.js';
import { createFleetAccess, type Fleet } from '../mcp/fleet.js';
import { LegacyEra } from '../mcp/legacy-era.js';
import { ModernEra } from '../mcp/modern-era.js';
import { Recovery } from '../mcp/recovery.js';
import { RequestStates } from '../mcp/request-states.js';
import type { ServerModule } from '../mcp/server-module.js';
import { ServerSource } from '../mcp/server-source.js';
import { ToolScopes } from '../mcp/tool-scopes.js';
import { Clockwork } from './clockwork.js';
import { isLoopback } from './config/addresses.js';
import type { Config } from './config-types.js';
import { Doors } from './doors.js';
import { drain } from './drain.js';
import { takeUpDuties } from './duties.js';
import { createFront, type Front } from './front.js';
import { healthOf } from './health.js';
import { timesOf } from './listen.js';
import { Membership } from './membership.js';
import type { NodeMetrics } from './metrics.js';

export interface NodeParts {
  readonly config: Config;
  readonly store: Store;
  readonly module: ServerModule;
  readonly metrics: NodeMetrics;
  readonly tracing: Tracing;
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
  readonly #tokenExpiry = new TokenExpiry();
  readonly #audit: Audit;
  readonly #places: HeldPlaces;
  readonly #front: Front;
  readonly #doors = new Doors();
  #started: Promise<void> | undefined;
  #joined = false;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, store, metrics, logger } = parts;
    this.#audit = new Audit(logger);
    this.#membership = new Membership({
      store,
      logger,
      nodeToken: this.#token,
      configuredId: config.nodeId,
      leaseMs: config.nodeLeaseMs,
    });
    this.#places = new HeldPlaces(store.slots);
    const self = this;
    const servers = new ServerSource(parts.module, {
      get nodeId() {
        return self.nodeId;
      },
      notify: this.notify,
    });
    const toolScopes = new ToolScopes(servers, config.authToolScopes);
    this.#hub = new Hub(store.log, logger, (nodeToken) => store.nodes.isAlive(nodeToken));
    this.#feed = new ChangeFeed(store.changes, logger);
    this.#feed.listen(
      (entry) => {
        this.#hub.change(entry);
        if (entry.change.kind === 'tools') toolScopes.forget();
      },
      () => {
        this.#hub.changesMissed();
        toolScopes.forget();
      },
    );
    this.#relay = new Relay({
      ...parts,
      get nodeId() {
        return self.nodeId;
      },
      hub: this.#hub,
      broker: store.broker,
      nodeToken: this.#token,
    });
    this.#clock = new Clockwork(logger);
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
      tokenExpiry: this.#tokenExpiry,
      maxListenStreams: config.maxListenStreams,
      maxListenStreamsPerUser: config.maxListenStreamsPerUser,
      places: this.#places,
      keepAliveMs: config.sseKeepaliveMs,
    });
    this.#era = new LegacyEra({
      ...parts,
      get nodeId() {
        return self.nodeId;
      },
      nodeToken: this.#token,
      hub: this.#hub,
      feed: this.#feed,
      relay: this.#relay,
      servers,
      states: this.#states,
      notify: this.notify,
      ...(parts.module.fixedLists && { fixedLists: new FixedLists(this.#feed, store.changes) }),
      streamUpgradeMs: config.streamUpgradeMs,
      maxCallsPerSession: config.maxCallsPerSession,
      stateLimits: { stateMaxBytes: config.maxStateBytes, stateMaxKeys: config.maxStateKeys },
    });
    this.fleet = createFleetAccess({
      get nodeId() {
        return self.nodeId;
      },
      tracing: parts.tracing,
      hub: this.#hub,
      nodeToken: this.#token,
      writeMain: (sessionId) => this.#era.writeMain(sessionId),
      started: () => this.start(),
    });
    this.#front = createFront({
      config,
      store,
      places: this.#places,
      counters: metrics,
      logger,
      era: this.#era,
      modern: this.#modern,
      toolScopes,
      tokenExpiry: this.#tokenExpiry,
      audit: this.#audit,
      health: () => this.health(),
      metrics: () => metrics.render(),
    });
    this.handler = this.#front.router;
    metrics.sample(
      {
        inboxDepth: () => store.broker.depth(),
        leaseAgeSeconds: () => this.#membership.leaseAgeMs / 1000,
        callsRunning: () => ({ legacy: this.#hub.exchangeCount, modern: this.#modern.running }),
        subscriptionsOpen: () => this.#modern.listening,
        connectionsOpen: () => this.#doors.connections,
        draining: () => this.#draining,
      },
      { store: store.kind, leaseSeconds: config.nodeLeaseMs / 1000 },
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
      places: this.#places,
      states: this.#states,
      nodeToken: this.#token,
      tokenExpiry: this.#tokenExpiry,
      audit: this.#audit,
      recovery: serves
        ? new Recovery(this.#era, { mayJudge: () => this.#membership.mayJudge, leaving: () => this.#draining })
        : undefined,
    });
    this.#joined = true;
  }

  /** Hints were lost: whatever they could have told is looked up. */
  async #afterGap(): Promise<void> {
    this.#hub.forgetSubscriptions();
    await Promise.all([this.#feed.look(), this.#hub.lookAtEverything()]);
  }

  /** Listens. @throws the listener's error, such as a port that is taken. */
  async listen(port = this.#parts.config.port, host = this.#parts.config.host): Promise<{ readonly port: number }> {
    const { opsPort, authAnonymous, requestTimeoutMs } = this.#parts.config;
    if (!isLoopback(host) && !this.#front.authenticates && !authAnonymous) {
      throw new TypeError(
        `listen: ${host} is no loopback address, nobody is authenticated, and authAnonymous is not set`,
      );
    }
    const times = timesOf(requestTimeoutMs);
    const onLate = () => this.#parts.metrics.refused('request_time');
    const { direct, application, opsApplication } = this.#front;
    // Bound before the node takes its place in the fleet: a port that is taken must leave no trace there.
    const address = await this.#doors.open({
      serve: (req, res) => (direct.get(req.url ?? '') ?? application)(req, res),
      port,
      host,
      times,
      onLate,
    });
    if (opsPort !== undefined) {
      const opsAddress = await this.#doors.open({ serve: opsApplication, port: opsPort, host, times });
      this.#parts.logger.info({ opsPort: opsAddress.port }, 'listening for operators');
    }
    await this.start();
    return { port: address.port };
  }

  /** The store was away, and may have lost everything: our lease and what the fleet shares go first. */
  storeIsBack(): void {
    if (!this.#joined) return;
    const shared = [this.#membership.heartbeat(), this.#states.refresh()];
    Promise.all([...shared, this.#feed.look(), this.#hub.lookAtThoseBehind()]).catch((error: Error) =>
      this.#parts.logger.debug({ error }, 'the store is away again'),
    );
  }

  health(): Promise<HealthReport> {
    const { store } = this.#parts;
    return healthOf({ store, nodeId: this.nodeId, joined: this.#joined, draining: this.#draining });
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
    await drain({
      doors: this.#doors,
      hub: this.#hub,
      modern: this.#modern,
      calls: store.calls,
      nodeToken: this.#token,
      logger,
      delayMs,
      timeoutMs,
    });
    this.#clock.stop();
    this.#era.stop();
    this.#hub.stop();
    if (this.#started) {
      await this.#started.catch(() => undefined);
      await this.#membership.leave().catch(() => undefined);
      await store.broker.stop().catch(() => undefined);
    }
    await store.close();
    // Nobody else gets the chance: the process ends when this is done.
    await this.#parts.tracing.flush();
    logger.info({}, 'stopped');
  }
}
