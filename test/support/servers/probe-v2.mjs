/** The probe tools on SDK 2.x. */
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { CAPABILITIES, FORM, TOOLS, toContent } from './probe-tools.mjs';

const form = (message) => ({ mode: 'form', message, requestedSchema: FORM });

const callOf = (server, { mcpReq }) => ({
  server,
  signal: mcpReq.signal,
  elicit: (message, options) => mcpReq.elicitInput(form(message), options),
  elicitUnbound: (message) => server.elicitInput(form(message)),
  sample: (text) =>
    mcpReq.requestSampling({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 10 }),
  roots: () => mcpReq.send({ method: 'roots/list' }),
  ping: () => mcpReq.send({ method: 'ping' }),
  log: (level, data) => mcpReq.log(level, data),
  async progress(progress, total) {
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken === undefined) return;
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } });
  },
});

export default function createProbe(context) {
  const server = new McpServer({ name: 'probe-v2', version: '1.0.0' }, { capabilities: CAPABILITIES });
  for (const { name, shape, annotations, run } of TOOLS) {
    const config = { description: name, inputSchema: z.object(shape), ...(annotations && { annotations }) };
    server.registerTool(name, config, async (args, ctx) =>
      toContent(await run(context, callOf(server.server, ctx), args)),
    );
  }
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  return server;
}
