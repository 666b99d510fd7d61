/** The twenty tools on SDK 1.x, as its documentation writes them. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { burn, forecast, INPUT, now, PLAIN_TOOLS, QUESTION, reply, SERVER_INFO, STEPS } from './tools.js';

export default function createV1Server(): McpServer {
  const server = new McpServer(SERVER_INFO, { capabilities: { logging: {} } });
  for (const { name, description } of PLAIN_TOOLS) {
    server.registerTool(name, { description, inputSchema: INPUT.shape }, async (input) => {
      burn();
      return forecast(input);
    });
  }
  server.registerTool(
    'steps',
    { description: 'Ten steps, each of them told', inputSchema: INPUT.shape },
    async (input, extra) => {
      const progressToken = extra._meta?.progressToken;
      for (let progress = 1; progressToken !== undefined && progress <= STEPS; progress += 1) {
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: STEPS },
        });
      }
      return forecast(input);
    },
  );
  server.registerTool('ask', { description: 'Asks the user', inputSchema: {} }, async (_, extra) => {
    await server.server.elicitInput(QUESTION, { relatedRequestId: extra.requestId });
    return reply(now());
  });
  return server;
}
