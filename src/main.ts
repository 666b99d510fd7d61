#!/usr/bin/env node
/**
 * The program: one node, configured by the environment. Nothing else reads the environment or the signals.
 *
 * Exit codes: 0 after an orderly stop, 1 when it cannot run (a port that is taken), 78 for a fault in the configuration.
 */
import { formatFault, parseConfig } from './app/config.js';
import { assembleNode } from './app/create-node.js';
import { createLogger } from './app/logger.js';
import type { Node } from './app/node.js';
import { loadServerModule, ServerModuleError } from './mcp/load-server.js';

const EXIT_FAILURE = 1;
const EXIT_CONFIGURATION = 78;

async function main(): Promise<void> {
  const parsed = parseConfig(process.env);
  if (!('config' in parsed)) {
    // Said at any log level: a node that does not start and does not say why is the worst of all.
    const log = createLogger({ level: 'error', nodeId: 'unconfigured' });
    for (const fault of parsed.faults) log.error({ ...fault }, formatFault(fault));
    process.exit(EXIT_CONFIGURATION);
  }
  const { config, warnings } = parsed;
  let node: Node | undefined;
  const log = createLogger({ level: config.logLevel, nodeId: () => node?.nodeId ?? config.nodeId });
  for (const warning of warnings) log.warn({}, warning);
  if (!config.redis) {
    log.warn(
      {},
      'EMBEDDED STORE: sessions live in this process alone and end with it; set REDIS_URL to run more than one node',
    );
  }

  const module = await loadServerModule(config.mcpServer, process.cwd()).catch((error: Error) => {
    if (!(error instanceof ServerModuleError)) throw error;
    createLogger({ level: 'error', nodeId: config.nodeId }).error({ variable: 'MCP_SERVER' }, error.message);
    process.exit(EXIT_CONFIGURATION);
  });
  const running = await assembleNode(config, module, log);
  node = running;

  const stop = (signal: string): void => {
    log.info({ signal }, 'signal');
    process.once('SIGTERM', () => process.exit(EXIT_FAILURE));
    process.once('SIGINT', () => process.exit(EXIT_FAILURE));
    running.drain().then(
      () => process.exit(0),
      (error: Error) => {
        log.error({ error }, 'stopping failed');
        process.exit(EXIT_FAILURE);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // A handler that loses a promise is its author's fault, and no reason to end everybody's calls.
  process.on('unhandledRejection', (error) => log.error({ error }, 'unhandled rejection'));

  try {
    const { port } = await running.listen();
    log.info({ port, host: config.host, nodeId: running.nodeId, server: module.name }, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    log.error({ port: config.port, host: config.host, code }, `cannot listen: ${message}`);
    process.exit(EXIT_FAILURE);
  }
}

await main();
