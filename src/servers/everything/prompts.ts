/** Prompts of the conformance suite: with and without arguments, with completion, with contents, and with a question. */
import {
  acceptedContent,
  type ContentBlock,
  completable,
  type GetPromptResult,
  inputRequired,
  type McpServer,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { answerTo } from './questions.js';
import { PNG_BASE64 } from './samples.js';

const VALUES = ['testValue1', 'testValue2', 'testValue3'];
const completed = (description: string) =>
  completable(z.string().describe(description), (typed) => VALUES.filter((value) => value.startsWith(typed)));

const twoArguments = z.object({ arg1: completed('First test argument'), arg2: completed('Second test argument') });
const resourceArgument = z.object({ resourceUri: z.string().describe('URI of the resource to embed') });
const contextForm = z.object({ context: z.string() });

const userMessages = (...blocks: ContentBlock[]): GetPromptResult => ({
  messages: blocks.map((content) => ({ role: 'user', content })),
});
const line = (text: string): ContentBlock => ({ type: 'text', text });

export function registerPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments' }, () =>
    userMessages(line('This is a simple prompt for testing.')),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'A prompt with two arguments', argsSchema: twoArguments },
    ({ arg1, arg2 }) => userMessages(line(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt with a resource inside', argsSchema: resourceArgument },
    ({ resourceUri }) =>
      userMessages(
        {
          type: 'resource',
          resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        line('Please process the embedded resource above.'),
      ),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with a picture' }, () =>
    userMessages({ type: 'image', data: PNG_BASE64, mimeType: 'image/png' }, line('Please analyze the image above.')),
  );
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks the user before it answers' },
    (call) => {
      const answer = answerTo(call, 'user_context', 'elicit');
      if (answer && answer.action !== 'accept') return userMessages(line('The user gave no context.'));
      const form = acceptedContent(call.mcpReq.inputResponses, 'user_context', contextForm);
      if (form) return userMessages(line(`Context: ${form.context}`));
      return inputRequired({
        inputRequests: {
          user_context: inputRequired.elicit({
            message: 'What context should the prompt use?',
            requestedSchema: contextForm,
          }),
        },
      });
    },
  );
}
