/** The module `lent` on SDK 1.x, without the lists. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

export const reusable = true;

let built = 0;
let spoken = Promise.resolve();

const reply = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const log = (level, data) => ({ method: 'notifications/message', params: { level, data } });

export default () => {
  built += 1;
  const serverNumber = built;
  const capabilities = { logging: {}, resources: { subscribe: true } };
  const server = new McpServer({ name: 'lent-v1', version: '1.0.0' }, { capabilities });
  server.registerTool('who', { description: 'Who asks, and whom' }, async (extra) =>
    reply({
      serverNumber,
      client: server.server.getClientVersion()?.name,
      elicits: server.server.getClientCapabilities()?.elicitation !== undefined,
      sessionId: extra.sessionId,
    }),
  );
  server.registerTool('talk-on', { description: 'Goes on after its answer' }, async (extra) => {
    let done;
    spoken = new Promise((resolve) => {
      done = resolve;
    });
    setTimeout(() => {
      extra
        .sendNotification(log('error', 'late, of the request'))
        .catch(() => undefined)
        .finally(done);
    }, 100);
    return reply({ serverNumber });
  });
  server.registerTool('listen', { description: 'Hears what is said meanwhile' }, async (extra) => {
    await extra.sendNotification(log('error', 'listening'));
    await spoken;
    return reply({ serverNumber });
  });
  const input = { level: z.string() };
  server.registerTool('log', { description: 'Logs', inputSchema: input }, async ({ level }, extra) => {
    await extra.sendNotification(log(level, `at ${level}`));
    return reply({ serverNumber });
  });
  return server;
};
