/**
 * Tools that ask the client one thing and answer with what they were told, whatever it was.
 *
 * Written once for both eras: the handler returns its question and is entered again with the answer. Not here: whether
 * the client can be asked at all; the SDK refuses the call when the capability was not declared.
 */
import {
  type ElicitRequestFormParams,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { READS, text } from '../reply.js';
import { answerTo, describeForm, describeRoots, describeSample, listRoots, sample } from './questions.js';

const noInput = z.object({});
const samplingInput = z.object({ prompt: z.string().describe('The prompt to send to the model') });
const elicitationInput = z.object({ message: z.string().describe('The message to show to the user') });

/** The one key these tools ask under. */
const KEY = 'answer';
const ask = (question: InputRequest): InputRequiredResult => inputRequired({ inputRequests: { [KEY]: question } });

const userForm: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const colourForm: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: { colour: { type: 'string', description: 'A colour' } },
  required: ['colour'],
};

const formWithDefaults: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const titled = [
  { const: 'value1', title: 'First Option' },
  { const: 'value2', title: 'Second Option' },
  { const: 'value3', title: 'Third Option' },
];

const formWithEnums: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
};

export function registerAskTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client for a completion', inputSchema: samplingInput, annotations: READS },
    ({ prompt }, call) => {
      const answer = answerTo(call, KEY, 'sampling');
      return answer ? text(`LLM response: ${describeSample(answer.result)}`) : ask(sample(prompt));
    },
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user for a name and an address', inputSchema: elicitationInput, annotations: READS },
    ({ message }, call) => {
      const answer = answerTo(call, KEY, 'elicit');
      if (answer) return text(`User response: ${describeForm(answer)}`);
      return ask(inputRequired.elicit({ message, requestedSchema: userForm }));
    },
  );
  registerForm(server, {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks with a form that has defaults',
    message: 'Please review and update the form fields with defaults',
    requestedSchema: formWithDefaults,
  });
  registerForm(server, {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks with a form that has every kind of choice',
    message: 'Please select options from the enum fields',
    requestedSchema: formWithEnums,
  });
  registerForm(server, {
    name: 'ask_form',
    description: 'Asks the user for a colour',
    message: 'Which colour do you like?',
    requestedSchema: colourForm,
  });
  registerPlainQuestions(server);
}

interface FormTool {
  name: string;
  description: string;
  message: string;
  requestedSchema: ElicitRequestFormParams['requestedSchema'];
}

function registerForm(server: McpServer, { name, description, message, requestedSchema }: FormTool): void {
  server.registerTool(name, { description, inputSchema: noInput, annotations: READS }, (_input, call) => {
    const answer = answerTo(call, KEY, 'elicit');
    if (answer) return text(`Elicitation completed: ${describeForm(answer)}`);
    return ask(inputRequired.elicit({ message, requestedSchema }));
  });
}

function registerPlainQuestions(server: McpServer): void {
  server.registerTool(
    'ask_url',
    { description: 'Asks the user to open a page', inputSchema: noInput, annotations: READS },
    (_input, call) => {
      const answer = answerTo(call, KEY, 'elicit');
      if (answer) return text(`The user answered: ${answer.action}`);
      return ask(inputRequired.elicitUrl({ message: 'Please open this page', url: 'https://example.com/consent' }));
    },
  );
  server.registerTool(
    'ask_model',
    { description: "Asks the client's model for the capital of France", inputSchema: noInput, annotations: READS },
    (_input, call) => {
      const answer = answerTo(call, KEY, 'sampling');
      return answer
        ? text(`The model answered: ${describeSample(answer.result)}`)
        : ask(sample('What is the capital of France?'));
    },
  );
  server.registerTool(
    'ask_roots',
    { description: 'Asks the client for its roots', inputSchema: noInput, annotations: READS },
    (_input, call) => {
      const answer = answerTo(call, KEY, 'roots');
      return answer ? text(`Roots: ${describeRoots(answer)}`) : ask(listRoots);
    },
  );
}
