// A server as most are written today, with SDK 1.x, and not a line of it knows of a fleet.
//
//   MCP_SERVER=./examples/v1-server.mjs npm start
//
// It serves the revisions 2024-11-05 to 2025-11-25. The one thing anynode asks for is a factory: a session may be served
// by many nodes, so every node must be able to build the server.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

export default () => {
  const server = new McpServer({ name: 'bakery', version: '1.0.0' }, { capabilities: { logging: {} } });

  server.registerTool(
    'price',
    {
      description: 'Looks up what something costs',
      inputSchema: { item: z.enum(['bread', 'cake']).default('bread') },
      // Worth saying: a call that only reads is run again elsewhere when its node dies.
      annotations: { readOnlyHint: true },
    },
    async ({ item }) => ({ content: [{ type: 'text', text: item === 'bread' ? '2.40' : '18.00' }] }),
  );

  server.registerTool(
    'order',
    { description: 'Orders a cake, after asking the user what to write on it' },
    async (extra) => {
      // The question goes out on the stream of this call; the answer may come in at any node, and ends up here.
      const answer = await server.server.elicitInput({
        message: 'What shall we write on the cake?',
        requestedSchema: { type: 'object', properties: { words: { type: 'string' } }, required: ['words'] },
      });
      if (answer.action !== 'accept') return { content: [{ type: 'text', text: 'No cake, then.' }] };

      await server.sendLoggingMessage({ level: 'info', data: 'baking' }, extra.sessionId);
      return { content: [{ type: 'text', text: `One cake, saying "${answer.content?.words}".` }] };
    },
  );

  return server;
};
