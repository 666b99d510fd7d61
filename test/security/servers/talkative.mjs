// A tool that says more than anybody wants to hear, and one whose answer is long.
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

export default () => {
  const server = new McpServer({ name: 'talkative', version: '1.0.0' });
  server.registerTool('talk', { inputSchema: z.object({ times: z.number() }) }, async ({ times }, ctx) => {
    for (let progress = 1; progress <= times && !ctx.mcpReq.signal.aborted; progress += 1) {
      const params = { progressToken: 't', progress, message: 'x'.repeat(1024 * 1024) };
      await ctx.mcpReq.notify({ method: 'notifications/progress', params });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { content: [] };
  });
  return server;
};
