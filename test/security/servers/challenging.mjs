// Everything here says by the SDK's own `scopeChallenge` what its callers need. Lent or not: as the environment has it.
import { McpServer, ResourceTemplate, requireScopes } from '@modelcontextprotocol/server';
import { currentExchange } from 'anynode';
import { z } from 'zod';

const text = (value) => ({ content: [{ type: 'text', text: value }] });
const nothing = z.object({});
const writers = requireScopes('files:write');

export default (given) => {
  const server = new McpServer({ name: 'challenging', version: '1.0.0' });
  const tool = (name, scopeChallenge) =>
    server.registerTool(name, { inputSchema: nothing, scopeChallenge }, async () => text(`${name} done`));
  tool('free');
  tool('write', writers);
  tool('asks_around', async (context) => writers(context));
  // Whom the factory was told of, or what a lent server has instead.
  tool('knows_the_caller', (context) =>
    writers({ ...context, authInfo: (reusable ? currentExchange() : given).authInfo }),
  );
  // Longer than any answer waits before it becomes a stream.
  tool('ponders', async (context) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return writers(context);
  });
  tool('ponders_for_ever', () => new Promise(() => {}));
  tool('leaves', () => {
    setTimeout(() => server.close(), 50);
    return new Promise((resolve) => setTimeout(resolve, 500));
  });
  tool('leaves_at_once', async () => {
    server.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  tool('explains', () => ({ scopes: ['never'], errorDescription: 'closed on Sundays, scope=' }));
  tool('breaks', () => {
    throw new Error('the rules are elsewhere, and that is away');
  });
  tool('mistaken', () => ({ scopes: [] }));
  const read = async (uri) => ({ contents: [{ uri: uri.href, text: 'secret' }] });
  server.registerResource('one', 'secret:///one', { scopeChallenge: writers }, read);
  const slowly = async (context) => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return writers(context);
  };
  server.registerResource('pondered', 'secret:///pondered', { scopeChallenge: slowly }, read);
  const any = new ResourceTemplate('secret:///any/{name}', { list: undefined });
  server.registerResource('any', any, { scopeChallenge: writers }, read);
  const prompt = async () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'secret' } }] });
  server.registerPrompt('words', { scopeChallenge: writers }, prompt);
  return server;
};

export const reusable = process.env.LENT === 'true';
