/**
 * Every feature of the protocol in one server: the fixtures of the official conformance suite, both eras, and a few
 * tools of our own that tests of the fleet drive.
 *
 * The first tool listed can be called without arguments; some scenarios do that to whatever comes first. Tools are
 * listed in the order they are registered in. Not for production: it answers anyone who asks with anything it has.
 */
import { McpServer } from '@modelcontextprotocol/server';
import type { ServerContext } from '../../index.js';
import { registerAskTools } from './ask-tools.js';
import { registerCapabilityTools } from './capability-tools.js';
import { registerContentTools } from './content-tools.js';
import { registerFleetTools } from './fleet-tools.js';
import { registerPrompts } from './prompts.js';
import { registerResources } from './resources.js';
import { registerRoundTools } from './round-tools.js';
import { registerSchemaTools } from './schema-tools.js';
import { registerStreamTools } from './stream-tools.js';

export default function createEverythingServer(context: ServerContext): McpServer {
  const server = new McpServer(
    { name: 'anynode-everything', title: 'anynode everything', version: '0.1.0' },
    {
      instructions: 'Every feature of the protocol, for tests.',
      // Arguments are parsed before any handler runs; this bounds what one request can make a node walk through.
      maxToolInputElements: 1000,
      requestState: { verify: (state) => context.requestState.verify(state) },
      capabilities: {
        logging: {},
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
      },
    },
  );
  registerContentTools(server);
  registerStreamTools(server);
  registerAskTools(server);
  registerSchemaTools(server);
  registerFleetTools(server, context);
  registerRoundTools(server, context);
  registerCapabilityTools(server);
  registerResources(server);
  registerPrompts(server);
  return server;
}
