/** What a handler of SDK 1.x sees of the HTTP request that it serves. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

export default () => {
  const server = new McpServer({ name: 'seeing-v1', version: '1.0.0' });
  server.registerTool('look', {}, async ({ requestInfo }) => {
    const seen = { url: requestInfo.url?.href, isUrl: requestInfo.url instanceof URL, host: requestInfo.headers.host };
    return { content: [{ type: 'text', text: JSON.stringify(seen) }] };
  });
  return server;
};
