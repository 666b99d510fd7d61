// Lent, and with tools that go on after they have answered: what they say then is of their own caller.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

export const reusable = true;
/** Then what is not bound to a request is refused, whoever says it. */
export const quiet = process.env.LATE_QUIET === '1';

export default () => {
  const server = new McpServer({ name: 'late', version: '1.0.0' }, { capabilities: { logging: {} } });
  const sayAtLarge = (data) => server.sendLoggingMessage({ level: 'error', data });
  server.registerTool('late', {}, async ({ authInfo }) => {
    const secret = `of ${authInfo.clientId}`;
    setTimeout(() => {
      void sayAtLarge(secret);
      server.server.listRoots(undefined, { timeout: 1000 }).catch(() => undefined);
      server.server
        .elicitInput({ message: secret, requestedSchema: { type: 'object', properties: {} } })
        .catch(() => undefined);
    }, 300);
    return { content: [] };
  });
  server.registerTool('busy', {}, async ({ authInfo, sendNotification }) => {
    const own = (data) => sendNotification({ method: 'notifications/message', params: { level: 'error', data } });
    const say = quiet ? own : sayAtLarge;
    await say(`busy ${authInfo.clientId}`);
    await new Promise((resolve) => setTimeout(resolve, 800));
    await say(`done ${authInfo.clientId}`);
    return { content: [] };
  });
  return server;
};
