/**
 * A reusable module that shows what its servers remember: which object serves, what it knows of its client, and a handler
 * that goes on talking after its answer. `late-following.mjs` is the same with the library's `currentExchange`.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

export const reusable = true;
export const fixedLists = true;

let built = 0;
let spoken = Promise.resolve();

const FORM = { type: 'object', properties: { word: { type: 'string' } } };
const reply = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });

export const createLent =
  (current) =>
  ({ notify }) => {
    built += 1;
    const serverNumber = built;
    const server = new McpServer(
      { name: 'lent', version: '1.0.0' },
      { capabilities: { logging: {}, resources: { subscribe: true } } },
    );
    server.registerTool('who', { description: 'Who asks, and whom' }, async (ctx) =>
      reply({
        serverNumber,
        client: server.server.getClientVersion()?.name,
        elicits: server.server.getClientCapabilities()?.elicitation !== undefined,
        sessionId: ctx.sessionId,
        current: current?.()?.sessionId,
      }),
    );
    server.registerTool('talk-on', { description: 'Goes on after its answer' }, async (ctx) => {
      const log = (data) => ({ method: 'notifications/message', params: { level: 'error', data } });
      let done;
      spoken = new Promise((resolve) => {
        done = resolve;
      });
      // After the answer has left and the server was given back; the next call of `listen` waits for it.
      setTimeout(async () => {
        const said = [ctx.mcpReq.notify(log('late, of the request'))];
        if (current) said.push(server.server.sendLoggingMessage({ level: 'error', data: 'late, of the server' }));
        await Promise.allSettled(said);
        done();
      }, 100);
      return reply({ serverNumber });
    });
    server.registerTool('listen', { description: 'Hears what is said meanwhile' }, async (ctx) => {
      await ctx.mcpReq.log('error', 'listening');
      await spoken;
      return reply({ serverNumber });
    });
    server.registerTool(
      'log',
      { description: 'Logs', inputSchema: z.object({ level: z.string() }) },
      async ({ level }, ctx) => {
        await ctx.mcpReq.log(level, `at ${level}`);
        return reply({ serverNumber });
      },
    );
    server.registerTool(
      'ask',
      { description: 'Asks for a word', inputSchema: z.object({ bound: z.boolean() }) },
      async ({ bound }, ctx) => {
        const options = bound ? { relatedRequestId: ctx.mcpReq.id } : {};
        const asked = ctx.mcpReq.elicitInput({ message: 'a word', requestedSchema: FORM }, options);
        return reply(
          await asked.then(
            ({ content }) => content,
            ({ message }) => ({ refused: message }),
          ),
        );
      },
    );
    const { LENT_COUNT_FILE: file } = process.env;
    if (file === undefined) return server;
    // How many tools there are is kept outside of all nodes; whoever changes it says so, or does not.
    const count = () => readFileSync(file, 'utf8').length;
    server.registerTool(
      'more-tools',
      { description: 'One more', inputSchema: z.object({ told: z.boolean() }) },
      async ({ told }) => {
        appendFileSync(file, '.');
        if (told) await notify.toolsChanged();
        return reply(count());
      },
    );
    server.server.setRequestHandler('tools/list', () => ({
      tools: Array.from({ length: count() }, (_, i) => ({ name: `tool-${i}`, inputSchema: { type: 'object' } })),
    }));
    return server;
  };

export default createLent();
