/** Tools that do what handlers must not, each in its own way. For tests of what a node makes of that. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

const text = (line) => ({ content: [{ type: 'text', text: line }] });

export default () => {
  const server = new McpServer({ name: 'faulty', version: '1.0.0' }, { capabilities: { logging: {} } });
  server.registerTool('circular', {}, async () => {
    const result = text('x');
    result._meta = { self: {} };
    result._meta.self.again = result._meta.self;
    return result;
  });
  server.registerTool('bigint', {}, async () => ({ ...text('x'), _meta: { n: 1n } }));
  server.registerTool('bigint_notification', {}, async (extra) => {
    const params = { level: 'info', data: { n: 1n } };
    await extra.sendNotification({ method: 'notifications/message', params });
    return text('sent');
  });
  server.registerTool('closes_itself', {}, async () => {
    await server.close();
    return text('never seen');
  });
  server.registerTool('throws_later', {}, async () => {
    setTimeout(() => {
      throw new Error('nobody is looking');
    }, 10);
    return text('ok');
  });
  return server;
};
