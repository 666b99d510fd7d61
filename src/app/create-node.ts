/** The library's door: a node from options, with the defaults of the program. */
import type { Logger } from '../core/logger.js';
import type { EventLog } from '../core/ports/event-log.js';
import type { Store, StoreLimits } from '../core/ports/store.js';
import type { RedisTls } from '../core/redis-target.js';
import type { ServerFactory, ServerModule } from '../mcp/server-module.js';
import { createMemoryStore, type MemoryState } from '../memory/index.js';
import { createRedisStore } from '../redis/index.js';
import { createOtelTracing } from '../tracing/otel.js';
import { withTls } from './config/redis-tls.js';
import { formatFault, parseConfig } from './config.js';
import type { Config } from './config-types.js';
import { createLogger } from './logger.js';
import { createMetrics, type NodeMetrics } from './metrics.js';
import { Node } from './node.js';
import { parseRedisUrl } from './redis-url.js';

/** Events kept for each stream; a client that is behind by more is told so. */
const STREAM_MAX_EVENTS = 10_000;

/** Every setting of the program by its name in {@link Config}; what is left out has the program's default. */
export interface NodeOptions extends Partial<Omit<Config, 'mcpServer' | 'redis'>> {
  /** Builds a server of either SDK line, for each exchange anew. */
  readonly server: ServerFactory;
  /** Built servers may be lent to one exchange after another (see `currentExchange`). Default false. */
  readonly reusable?: boolean;
  /**
   * What `tools/list`, `prompts/list` and the lists of resources answer is the same for every caller and session until
   * `notify` tells of a change: nodes keep the answers. Default false.
   */
  readonly fixedLists?: boolean;
  /** Of reusable servers: handlers speak only through their own requests and never call `currentExchange`. Default false. */
  readonly quiet?: boolean;
  /** Where Redis is; unset: the embedded store, for one process only. */
  readonly redisUrl?: string;
  /** For a `redisUrl` with TLS (`rediss://` and its kind): certificates and key as PEM texts. */
  readonly redisTls?: RedisTls;
  /** Embedded store: what several nodes of one process share. */
  readonly memory?: MemoryState;
  /** Whether this process takes over the calls of dead nodes and sweeps. Default true; `createFleet` says no. */
  readonly serves?: boolean;
  /** Default: JSON lines on standard output. */
  readonly logger?: Logger;
}

/**
 * A node, not yet part of the fleet: `listen()` makes it one that serves by itself, `start()` and `handler` one that is
 * mounted into an application.
 * @throws TypeError for an option that makes no sense.
 */
export async function createNode(options: NodeOptions): Promise<Node> {
  const {
    server,
    reusable = false,
    quiet = false,
    fixedLists = false,
    redisUrl,
    redisTls,
    memory,
    serves = true,
    logger: given,
    ...settings
  } = options;
  if (typeof server !== 'function') throw new TypeError('createNode: `server` must be a function that builds a server');
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0)) {
      throw new TypeError(`createNode: ${name} must be a whole number that is not negative`);
    }
  }
  // The fleet's public name is allowed as Host and Origin, here as in the program.
  const parsed = parseConfig(settings.publicUrl === undefined ? {} : { PUBLIC_URL: settings.publicUrl });
  if (!('config' in parsed)) throw new TypeError(`createNode: ${parsed.faults.map(formatFault).join('; ')}`);
  const redis = redisUrl === undefined ? undefined : withTls(parseRedisUrl(redisUrl), redisTls ?? {});
  const config: Config = { ...parsed.config, ...defined(settings), redis };
  const logger = given ?? createLogger({ level: config.logLevel, nodeId: config.nodeId });
  return assembleNode(
    config,
    { name: 'library', factory: server, reusable, quiet, fixedLists },
    logger,
    memory,
    serves,
  );
}

export async function assembleNode(
  config: Config,
  module: ServerModule,
  logger: Logger,
  memory?: MemoryState,
  serves = true,
): Promise<Node> {
  let store: Store | undefined;
  const metrics = createMetrics({ activeSessions: async () => (store ? store.sessions.count() : 0) });
  let node: Node | undefined;
  const onUp = (up: boolean): void => {
    metrics.redisUp(up);
    if (up) node?.storeIsBack();
  };
  const opened = await openStore(config, metrics, logger, memory, onUp);
  store = { ...opened, log: counted(opened.log, metrics) };
  node = new Node({ config, store, module, metrics, tracing: createOtelTracing(), logger, serves });
  return node;
}

/** The log, with what is stored in it counted. */
function counted(log: EventLog, metrics: NodeMetrics): EventLog {
  return {
    ...log,
    async append(...args) {
      const outcome = await log.append(...args);
      if (outcome.outcome === 'appended') {
        metrics.appended(
          outcome.entries.length,
          outcome.entries.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0),
        );
      }
      return outcome;
    },
  };
}

async function openStore(
  config: Config,
  metrics: NodeMetrics,
  logger: Logger,
  memory: MemoryState | undefined,
  onUp: (up: boolean) => void,
): Promise<Store> {
  const limits: StoreLimits = {
    sessionTtlMs: config.sessionTtlMs,
    sessionMaxAgeMs: config.sessionMaxAgeMs,
    streamTtlMs: config.streamTtlMs,
    streamMaxEvents: STREAM_MAX_EVENTS,
    nodeLeaseMs: config.nodeLeaseMs,
    stateMaxBytes: config.maxStateBytes,
    stateMaxKeys: config.maxStateKeys,
  };
  if (!config.redis) {
    metrics.redisUp(true);
    return createMemoryStore(limits, memory);
  }
  return createRedisStore({
    target: config.redis,
    keyPrefix: config.keyPrefix,
    limits,
    timeoutMs: config.redisTimeoutMs,
    logger,
    onCommand: metrics.redisCommand,
    onUp,
  });
}

function defined<T extends object>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<T>;
}
