// Tools, a prompt and a resource whose answers cannot be written as JSON, at once or after they have said something.
import { McpServer, ProtocolError } from '@modelcontextprotocol/server';
import { z } from 'zod';

const circle = {};
circle.again = circle;
const contents = {
  circle,
  bigint: { n: 1n },
  throwing: {
    toJSON() {
      throw new Error('not written');
    },
  },
};

export default () => {
  const server = new McpServer({ name: 'unwritable', version: '1.0.0' }, { capabilities: { logging: {} } });
  for (const [name, structuredContent] of Object.entries(contents)) {
    server.registerTool(name, { inputSchema: z.object({}) }, async () => ({ content: [], structuredContent }));
    server.registerTool(`${name}_said`, { inputSchema: z.object({}) }, async (_args, ctx) => {
      await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken: 't', progress: 1 } });
      return { content: [], structuredContent };
    });
  }
  server.registerPrompt('bigint', {}, async () => {
    throw new ProtocolError(-32000, 'with data', { n: 1n });
  });
  server.registerResource('circle', 'odd://circle', {}, async () => ({
    contents: [{ uri: 'odd://circle', text: '', _meta: { circle } }],
  }));
  return server;
};
