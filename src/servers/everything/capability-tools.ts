/**
 * Tools that depend on what the client can be asked: one adapts to it, one cannot do without, one must keep its question
 * off its own stream.
 *
 * Not here: the refusal itself; the SDK compares every question with the declared capabilities and answers -32021.
 */
import { acceptedContent, type InputRequests, inputRequired, type McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { READS, text } from '../reply.js';
import { answerTo, askableOf, askName, describeSample, listRoots, nameForm, refusal, sample } from './questions.js';
import { PREFIX } from './round-tools.js';

const noInput = z.object({});

export function registerCapabilityTools(server: McpServer): void {
  server.registerTool(
    `${PREFIX}capabilities`,
    { description: 'Asks only for what the client can answer', inputSchema: noInput, annotations: READS },
    (_input, call) => {
      if (call.mcpReq.inputResponses !== undefined) return text('All that could be asked was answered.');
      const askable = askableOf(server, call);
      const questions: InputRequests = {
        ...(askable.form && { user_name: askName() }),
        ...(askable.model && { greeting: sample('Generate a greeting', 50) }),
        ...(askable.roots && { client_roots: listRoots }),
      };
      if (Object.keys(questions).length === 0) return text('There is nothing this client can be asked.');
      return inputRequired({ inputRequests: questions });
    },
  );
  server.registerTool(
    'test_missing_capability',
    { description: 'Cannot do without sampling', inputSchema: noInput, annotations: READS },
    // The SDK compares the question with what the client declared and refuses the call with -32021.
    (_input, call) => {
      const answer = answerTo(call, 'greeting', 'sampling');
      if (answer) return text(describeSample(answer.result));
      return inputRequired({ inputRequests: { greeting: sample('Generate a greeting', 50) } });
    },
  );
  server.registerTool(
    'test_streaming_elicitation',
    { description: 'Asks the user; never by a request on its own stream', inputSchema: noInput, annotations: READS },
    async (_input, call) => {
      const declined = refusal(call, 'user_name');
      if (declined) return text(declined);
      const form = acceptedContent(call.mcpReq.inputResponses, 'user_name', nameForm);
      if (form) return text(`Hello, ${form.name}!`);
      await call.mcpReq.log('info', 'asking for a name');
      return inputRequired({ inputRequests: { user_name: askName() } });
    },
  );
}
