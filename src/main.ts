#!/usr/bin/env node
/**
 * The program: one node, configured by the environment; or, with an argument, a command about a fleet. Nothing else reads
 * the environment or the signals.
 *
 * Exit codes: 0 after an orderly stop, 1 when it cannot run (a port that is taken) or was told twice to stop, 78 for a
 * fault in the configuration; those of `doctor` are in its usage.
 */
import { readFile } from 'node:fs/promises';
import { type ConfigFault, formatFault, parseConfig } from './app/config.js';
import { assembleNode } from './app/create-node.js';
import { createLogger } from './app/logger.js';
import type { Node } from './app/node.js';
import { loadServerModule, ServerModuleError } from './mcp/load-server.js';
import type { ServerModule } from './mcp/server-module.js';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_CONFIGURATION = 78;
/** A module that is still loading after this long waits for something that will not come. */
const LOADING_MS = 30_000;

/** Written past the log and its level: what decides over starting is always said, and its words are masked already. */
function say(level: string, msg: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg })}\n`);
}

/** A module can fail in more ways than by not being found: it can hang, or throw when nobody is looking. */
async function loadModule(name: string): Promise<ServerModule | ConfigFault> {
  const fault = (why: string): ConfigFault => ({ variable: 'MCP_SERVER', value: name, expected: why });
  let stray: (error: unknown) => void = () => {};
  const strayed = new Promise<ConfigFault>((resolve) => {
    stray = (error) => resolve(fault(`a module that loads; it failed: ${firstLine(error)}`));
  });
  process.on('unhandledRejection', stray).on('uncaughtException', stray);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ConfigFault>((resolve) => {
    timer = setTimeout(() => resolve(fault(`a module that loads within ${LOADING_MS / 1000} s`)), LOADING_MS);
  });
  const loaded = loadServerModule(name, process.cwd()).catch((error: Error) =>
    fault(error instanceof ServerModuleError ? error.message : firstLine(error)),
  );
  try {
    return await Promise.race([loaded, strayed, late]);
  } finally {
    clearTimeout(timer);
    process.off('unhandledRejection', stray).off('uncaughtException', stray);
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] as string;
}

/** Before there is a node there is nothing to drain. Without this, the first process of a container would take no signal. */
function notYet(): void {
  process.exit(0);
}

async function main(): Promise<void> {
  process.on('SIGTERM', notYet).on('SIGINT', notYet);
  const parsed = parseConfig(process.env);
  const faults = 'faults' in parsed ? [...parsed.faults] : [];
  // Loaded also when something else is wrong already: all faults are told at once.
  const module = await loadModule('config' in parsed ? parsed.config.mcpServer : process.env.MCP_SERVER || 'demo');
  if (!('factory' in module)) faults.push(module);
  if (!('config' in parsed) || !('factory' in module)) {
    for (const fault of faults) say('error', formatFault(fault), fault);
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
  // What a handler loses is its author's fault, and no reason to end everybody's calls: nothing of one request is shared
  // with another, so there is no state that it could have spoiled.
  process.on('unhandledRejection', (error) => log.error({ error }, 'unhandled rejection'));
  process.on('uncaughtException', (error) => log.error({ error }, 'uncaught exception'));

  // What goes wrong before there is a node is not a lost call of somebody's handler: nothing would serve after it.
  const running = await assembleNode(config, module, log).catch((error: Error) => {
    log.error({ error }, 'the node could not be made');
    process.exit(EXIT_FAILURE);
  });
  node = running;

  const stop = (signal: string): void => {
    log.info({ signal }, 'signal');
    process.off('SIGTERM', stop).off('SIGINT', stop);
    // Whoever asks twice means at once: what runs here is left to the other nodes as after a crash.
    const stopNow = (again: string): void => {
      log.warn({ signal: again }, 'second signal: ended at once, without draining');
      process.exit(EXIT_FAILURE);
    };
    process.on('SIGTERM', stopNow).on('SIGINT', stopNow);
    running.drain().then(
      () => process.exit(0),
      (error: Error) => {
        log.error({ error }, 'stopping failed');
        process.exit(EXIT_FAILURE);
      },
    );
  };
  process.off('SIGTERM', notYet).off('SIGINT', notYet);
  process.on('SIGTERM', stop).on('SIGINT', stop);

  try {
    const { port } = await running.listen();
    say('info', 'listening', { nodeId: running.nodeId, port, host: config.host, server: module.name });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    say('error', `cannot listen: ${message}`, { nodeId: config.nodeId, port: config.port, host: config.host, code });
    process.exit(EXIT_FAILURE);
  }
}

const USAGE = `Usage: anynode                       start a node, configured by the environment (DEPLOYMENT.md)
       anynode doctor URL [options]  look at what stands between clients and a fleet
       anynode --help | --version`;

/** Loaded when it is asked for: a node that serves needs nothing of it. */
async function doctor(args: readonly string[]): Promise<number> {
  const [{ runDoctor }, { inspectRedis }, { parseRedisUrl }] = await Promise.all([
    import('./doctor/index.js'),
    import('./redis/inspect.js'),
    import('./app/redis-url.js'),
  ]);
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve());
  });
  const code = await runDoctor(args, {
    interrupted,
    env: process.env,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    inspectRedis: async (url, keyPrefix, timeoutMs) => inspectRedis(parseRedisUrl(url), keyPrefix, timeoutMs),
  });
  // What it was watching when it was interrupted would keep the process for as long as it was to be watched.
  interrupted.then(() => process.exit(code));
  return code;
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return String(JSON.parse(text).version);
}

const [command, ...rest] = process.argv.slice(2);
if (command === undefined) await main();
else if (command === 'doctor') process.exitCode = await doctor(rest);
else if (command === '--version') process.stdout.write(`${await version()}\n`);
else if (command === '--help') process.stdout.write(`${USAGE}\n`);
else {
  process.stderr.write(`anynode: unknown command\n\n${USAGE}\n`);
  process.exitCode = EXIT_USAGE;
}
