/**
 * The server a fresh installation starts with: a handful of tools that show what a fleet does, each understood at once.
 *
 * Written as a user of anynode would write one: a factory over the official SDK, with nothing but the public API. It is
 * built anew for every request, so whatever is expensive and the same for all (schemas) stands outside the factory.
 * Not here: the fixtures of the conformance suite (everything).
 */
import { acceptedContent, completable, inputRequired, inputResponse, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { ServerContext } from '../index.js';
import { clientNameOf, principalOf } from './caller.js';
import { registerNotebook } from './notebook.js';
import { doPacedWork, MAX_STEPS, MAX_TOTAL_MS } from './paced-work.js';
import { READS, text } from './reply.js';

const noInput = z.object({});
const echoInput = z.object({ text: z.string().default('hello').describe('What to say back') });
const jobInput = z.object({
  steps: z.int().min(1).max(MAX_STEPS).default(5).describe('How many steps to report'),
  ms: z.int().min(0).max(MAX_TOTAL_MS).default(2500).describe('How long the whole job takes, in milliseconds'),
});
const nameForm = z.object({ name: z.string().min(1).max(100).describe('Your name') });

const AUDIENCES = ['a newcomer', 'an operator', 'a developer'];
const tourInput = z.object({
  // Completable inside, optional outside: the SDK looks for the completer beneath the outermost `optional`.
  audience: completable(z.string().describe('Who the tour is for'), (typed) =>
    AUDIENCES.filter((audience) => audience.startsWith(typed)),
  ).optional(),
});

export default function createDemoServer(context: ServerContext): McpServer {
  const server = new McpServer(
    { name: 'anynode-demo', title: 'anynode demo', version: '0.1.0' },
    {
      instructions: 'A demonstration. Call whereami a few times: every request may be answered by another node.',
      // Arguments are parsed before any handler runs; this bounds what one request can make a node walk through.
      maxToolInputElements: 1000,
      capabilities: {
        logging: {},
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true },
      },
    },
  );
  registerEchoes(server, context);
  registerNotebook(server, context);
  registerConversations(server);
  registerReading(server, context);
  return server;
}

function registerEchoes(server: McpServer, context: ServerContext): void {
  server.registerTool(
    'echo',
    { title: 'Echo', description: 'Says back what it is told.', inputSchema: echoInput, annotations: READS },
    (input) => text(input.text),
  );
  server.registerTool(
    'whoami',
    {
      title: 'Who am I?',
      description: 'Names the user this request was authenticated as, and the client it came through.',
      inputSchema: noInput,
      annotations: READS,
    },
    (_input, call) => text(`You are ${principalOf(context)}, using ${clientNameOf(server, call)}.`),
  );
  server.registerTool(
    'whereami',
    {
      title: 'Where am I?',
      description: 'Names the node that answered this very request.',
      inputSchema: noInput,
      annotations: READS,
    },
    () => text(context.nodeId),
  );
}

function registerConversations(server: McpServer): void {
  server.registerTool(
    'long_job',
    {
      title: 'A long job',
      description:
        'Works for a while, reporting progress and a log line after every step; survives the loss of its node.',
      inputSchema: jobInput,
      annotations: READS,
    },
    async ({ steps, ms }, call) => {
      await doPacedWork(call, { steps, totalMs: ms, label: 'long job' });
      return text(`Done: ${steps} steps in about ${ms} ms.`);
    },
  );
  server.registerTool(
    'ask_name',
    {
      title: 'Ask for a name',
      description: 'Asks the user for a name in the middle of the call; the answer may arrive at any node.',
      inputSchema: noInput,
      annotations: READS,
    },
    // Written once for both eras: a modern client is handed the question and calls again with the answer, a legacy one
    // is asked while its call is open, and the handler is entered a second time either way.
    (_input, call) => {
      const answer = inputResponse(call.mcpReq.inputResponses, 'name');
      if (answer.kind === 'elicit' && answer.action !== 'accept') return text('As you like: no name, then.');
      const form = acceptedContent(call.mcpReq.inputResponses, 'name', nameForm);
      if (form) return text(`Nice to meet you, ${form.name}!`);
      return inputRequired({
        inputRequests: { name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: nameForm }) },
      });
    },
  );
}

function registerReading(server: McpServer, context: ServerContext): void {
  server.registerResource(
    'welcome',
    'demo://welcome',
    { title: 'Welcome', description: 'What this server is', mimeType: 'text/plain' },
    (uri) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'text/plain',
          text: `This is one server on many nodes. Node ${context.nodeId} read this page for you; the next may be another.`,
        },
      ],
    }),
  );
  server.registerPrompt(
    'tour',
    { title: 'A tour', description: 'Has the model show what this server can do', argsSchema: tourInput },
    ({ audience = 'a newcomer' }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'text',
            text: `Give ${audience} a short tour of this server: call whereami three times and tell which nodes answered, add a note and read it back, then run long_job.`,
          },
        },
      ],
    }),
  );
}
