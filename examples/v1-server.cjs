// The same kind of server in CommonJS: whatever `require` or `import` can load and is a factory will do.
//
//   MCP_SERVER=./examples/v1-server.cjs npm start
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js');
const { z } = require('zod');

// The argument is optional to use. It says which node this is, whose session, and who is calling.
module.exports = ({ nodeId, authInfo }) => {
  const server = new McpServer({ name: 'signpost', version: '1.0.0' });

  server.registerTool(
    'greet',
    { description: 'Greets whoever calls', inputSchema: { greeting: z.string().default('Hello') } },
    async ({ greeting }) => ({
      content: [{ type: 'text', text: `${greeting}, ${authInfo?.clientId ?? 'stranger'}! This is ${nodeId}.` }],
    }),
  );

  server.registerResource('sign', 'sign://here', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: `You are at ${nodeId}.` }],
  }));

  return server;
};
