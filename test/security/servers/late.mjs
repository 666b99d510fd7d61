// Lent, and with tools that go on after they have answered: what they say then is of their own caller.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

export const reusable = true;

export default () => {
  const server = new McpServer({ name: 'late', version: '1.0.0' }, { capabilities: { logging: {} } });
  const say = (data) => server.sendLoggingMessage({ level: 'error', data });
  server.registerTool('late', {}, async ({ authInfo }) => {
    const secret = `of ${authInfo.clientId}`;
    setTimeout(() => {
      void say(secret);
      server.server.listRoots(undefined, { timeout: 1000 }).catch(() => undefined);
      server.server
        .elicitInput({ message: secret, requestedSchema: { type: 'object', properties: {} } })
        .catch(() => undefined);
    }, 300);
    return { content: [] };
  });
  server.registerTool('busy', {}, async ({ authInfo }) => {
    await say(`busy ${authInfo.clientId}`);
    await new Promise((resolve) => setTimeout(resolve, 800));
    await say(`done ${authInfo.clientId}`);
    return { content: [] };
  });
  return server;
};
