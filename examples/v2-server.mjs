// A server written with SDK 2.x, once for both eras: it serves 2024-11-05 to 2026-07-28 from the same code.
//
//   MCP_SERVER=./examples/v2-server.mjs npm start
import { inputRequired, inputResponse, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

// The factory is called for every request. What does not depend on the request stands outside.
const guessInput = z.object({ number: z.int().min(1).max(10).default(5) });
const playAgain = z.object({ again: z.boolean().describe('Once more?') });
const SECRET = 7;

export default ({ nodeId, session, notify }) => {
  const server = new McpServer(
    { name: 'guess', version: '1.0.0' },
    { capabilities: { resources: { subscribe: true, listChanged: true } } },
  );

  server.registerTool(
    'guess',
    { description: 'Guess a number from 1 to 10', inputSchema: guessInput },
    async ({ number }, ctx) => {
      // `inputRequired` asks the user. A client of today is handed the question and calls again with the answer; an older
      // one is asked while its call stays open. Either way this function is entered anew, perhaps on another node.
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'again');
      if (answer.kind === 'elicit') return reply(answer.content?.again ? 'Then guess!' : 'Thank you for playing.');

      // State of the session: in the store, atomic on all nodes, gone with the session. Modern requests have none.
      const tries = (await session?.increment('tries')) ?? 'some';
      if (number !== SECRET) return reply(`No. ${tries} tries so far; ${nodeId} counted.`);

      // Reaches whoever watches the score, on whatever node they are connected to.
      await notify.resourceUpdated('guess://score');
      return inputRequired({
        inputRequests: {
          again: inputRequired.elicit({ message: `Right, after ${tries} tries!`, requestedSchema: playAgain }),
        },
      });
    },
  );

  server.registerResource('score', 'guess://score', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: `tries: ${(await session?.get('tries')) ?? 0}` }],
  }));

  return server;
};

const reply = (text) => ({ content: [{ type: 'text', text }] });
