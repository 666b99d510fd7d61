// Lent from one exchange to the next: everything a handler knows of its caller comes from the exchange of the moment.
import { setTimeout as pause } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/server';
import { currentExchange } from 'anynode';
import { z } from 'zod';

export const reusable = true;

const answer = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const FORM = { type: 'object', properties: { secret: { type: 'string' } }, required: ['secret'] };

export default () => {
  const server = new McpServer(
    { name: 'tenants', version: '1.0.0' },
    { capabilities: { tools: {}, logging: {}, resources: { subscribe: true } } },
  );
  const whoAsks = () => {
    const { sessionId, authInfo } = currentExchange();
    return { sessionId, user: authInfo?.clientId, client: server.server.getClientVersion()?.name };
  };
  server.registerTool(
    'echo',
    { inputSchema: z.object({ nonce: z.string(), ms: z.number().optional() }) },
    async ({ nonce, ms }) => {
      const before = whoAsks();
      if (ms !== undefined) await pause(ms);
      return answer({ nonce, before, after: whoAsks() });
    },
  );
  server.registerTool('progress', { inputSchema: z.object({ nonce: z.string() }) }, async ({ nonce }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= 3; progress += 1) {
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress, message: `${nonce} ${currentExchange().sessionId}` },
      });
    }
    return answer({ nonce, ...whoAsks() });
  });
  server.registerTool('ask', { inputSchema: z.object({ nonce: z.string() }) }, async ({ nonce }, { mcpReq }) => {
    const asked = await mcpReq.elicitInput({ mode: 'form', message: nonce, requestedSchema: FORM });
    return answer({ nonce, secret: asked.content?.secret, ...whoAsks() });
  });
  server.registerTool(
    'remember',
    { inputSchema: z.object({ key: z.string(), value: z.any() }) },
    async ({ key, value }) => {
      const { session } = currentExchange();
      await session.set(key, value);
      return answer({
        stored: await session.get(key),
        plain: Object.keys({}).length === 0 && {}.polluted === undefined,
      });
    },
  );
  server.registerTool('recall', { inputSchema: z.object({ key: z.string() }) }, async ({ key }) =>
    answer({ value: (await currentExchange().session.get(key)) ?? null }),
  );
  return server;
};
