// Tools whose list goes wrong for the caller in a way that the caller's token names; each way has a tool of its own name.
import { Server } from '@modelcontextprotocol/server';

export default ({ authInfo }) => {
  const server = new Server({ name: 'listing', version: '1.0.0' }, { capabilities: { tools: {} } });
  const way = authInfo?.extra?.claims?.way;
  const tools = [{ name: way, inputSchema: { type: 'object' }, _meta: { 'anynode/scopes': ['files:write'] } }];
  server.setRequestHandler('tools/list', ({ params }, ctx) => {
    if (way === 'failing') throw new Error('the list is elsewhere, and that is away');
    if (way === 'hanging') return new Promise(() => {});
    if (way === 'endless') return { tools: [], nextCursor: 'on' };
    if (way === 'second_page' && !params?.cursor) return { tools: [], nextCursor: 'on' };
    if (way === 'filtered' && ctx.http?.authInfo?.clientId !== 'app') return { tools: [] };
    return { tools };
  });
  server.setRequestHandler('tools/call', () => ({ content: [{ type: 'text', text: 'written' }] }));
  return server;
};
