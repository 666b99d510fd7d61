/** The probe tools on SDK 1.x, as most existing servers are written. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  EmptyResultSchema,
  ListRootsResultSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { CAPABILITIES, FORM, TOOLS, toContent } from './probe-tools.mjs';

const form = (message) => ({ mode: 'form', message, requestedSchema: FORM });
const textMessage = (text) => ({ role: 'user', content: { type: 'text', text } });

const callOf = (server, { signal, sendRequest, sendNotification, _meta }) => ({
  server,
  signal,
  elicit: (message, options) =>
    sendRequest({ method: 'elicitation/create', params: form(message) }, ElicitResultSchema, options),
  elicitUnbound: (message) => server.elicitInput(form(message)),
  sample: (text) =>
    sendRequest(
      { method: 'sampling/createMessage', params: { messages: [textMessage(text)], maxTokens: 10 } },
      CreateMessageResultSchema,
    ),
  roots: () => sendRequest({ method: 'roots/list' }, ListRootsResultSchema),
  ping: () => sendRequest({ method: 'ping' }, EmptyResultSchema),
  log: (level, data) => sendNotification({ method: 'notifications/message', params: { level, data } }),
  async progress(progress, total) {
    const progressToken = _meta?.progressToken;
    if (progressToken === undefined) return;
    await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } });
  },
});

export default function createProbe(context) {
  const server = new McpServer({ name: 'probe-v1', version: '1.0.0' }, { capabilities: CAPABILITIES });
  for (const { name, shape, annotations, run } of TOOLS) {
    const config = { description: name, inputSchema: shape, ...(annotations && { annotations }) };
    server.registerTool(name, config, async (args, extra) =>
      toContent(await run(context, callOf(server.server, extra), args)),
    );
  }
  server.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  return server;
}
