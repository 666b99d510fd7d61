// Tools that say what their callers need, and one that tells who calls.
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });

export default ({ authInfo, requestState }) => {
  const server = new McpServer(
    { name: 'scoped', version: '1.0.0' },
    { capabilities: { tools: {}, logging: {} }, requestState: { verify: requestState.verify } },
  );
  server.registerTool('whoami', { inputSchema: z.object({}) }, async (_args, ctx) =>
    text({
      clientId: authInfo?.clientId,
      scopes: authInfo?.scopes,
      subject: authInfo?.extra?.subject,
      headers: Object.keys(ctx.http?.requestInfo?.headers ?? Object.fromEntries(ctx.http?.req?.headers ?? [])),
    }),
  );
  server.registerTool(
    'read_file',
    { inputSchema: z.object({}), _meta: { 'anynode/scopes': ['files:read'] } },
    async () => text('read'),
  );
  server.registerTool(
    'write_file',
    { inputSchema: z.object({}), _meta: { 'anynode/scopes': ['files:write', 'files:read'] } },
    async () => text('written'),
  );
  server.registerTool('mistaken', { inputSchema: z.object({}), _meta: { 'anynode/scopes': [42] } }, async () =>
    text('!'),
  );
  server.registerTool('configured', { inputSchema: z.object({}) }, async () => text('done'));
  server.registerTool('slow', { inputSchema: z.object({ ms: z.number() }) }, async ({ ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return text('slow');
  });
  return server;
};
