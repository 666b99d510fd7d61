/** The twenty tools on SDK 2.x, as its documentation writes them. */
import { McpServer } from '@modelcontextprotocol/server';
import { burn, forecast, INPUT, now, PLAIN_TOOLS, QUESTION, reply, SERVER_INFO, STEPS } from './tools.js';

export default function createV2Server(): McpServer {
  const server = new McpServer(SERVER_INFO, { capabilities: { logging: {} } });
  for (const { name, description } of PLAIN_TOOLS) {
    server.registerTool(name, { description, inputSchema: INPUT }, async (input) => {
      burn();
      return forecast(input);
    });
  }
  server.registerTool(
    'steps',
    { description: 'Ten steps, each of them told', inputSchema: INPUT },
    async (input, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (let progress = 1; progressToken !== undefined && progress <= STEPS; progress += 1) {
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: STEPS },
        });
      }
      return forecast(input);
    },
  );
  server.registerTool('ask', { description: 'Asks the user' }, async (ctx) => {
    await ctx.mcpReq.elicitInput(QUESTION, { relatedRequestId: ctx.mcpReq.id });
    return reply(now());
  });
  return server;
}
