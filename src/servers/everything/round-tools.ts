/**
 * Tools whose calls take more than one round, as 2026-07-28 has them: what was asked, and a state that comes back.
 *
 * A round knows nothing but its own request: what an earlier one learned travels in the signed state, so that any node
 * can take the next. Names, keys and texts are those of the official conformance suite.
 */
import {
  acceptedContent,
  type InputRequest,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { ServerContext } from '../../index.js';
import { type CallContext, READS, text } from '../reply.js';
import { answerTo, askName, describeRoots, describeSample, listRoots, nameForm, refusal, sample } from './questions.js';

export const PREFIX = 'test_input_required_result_';
const noInput = z.object({});
const colourForm = z.object({ color: z.string() });
const confirmForm = z.object({ ok: z.boolean() });
/** A state is of one tool; from the second round on it carries the name given in the first. */
const stateSchema = z.object({ tool: z.string(), name: z.string().optional() });
type RoundState = z.infer<typeof stateSchema>;

const askColour = (message: string): InputRequest => inputRequired.elicit({ message, requestedSchema: colourForm });
const askConfirmation = (): InputRequest =>
  inputRequired.elicit({ message: 'Please confirm', requestedSchema: confirmForm });

export function registerRoundTools(server: McpServer, context: ServerContext): void {
  registerSingleRounds(server);
  registerWithState(server, context);
  registerTwoRounds(server, context, {
    tool: `${PREFIX}multi_round`,
    first: { key: 'step1', message: 'Step 1: What is your name?' },
    second: { key: 'step2', message: 'Step 2: What is your favorite color?' },
  });
  registerTwoRounds(server, context, {
    tool: 'ask_two_rounds',
    first: { key: 'name', message: 'What is your name?' },
    second: { key: 'color', message: 'What is your favorite color?' },
  });
}

function registerSingleRounds(server: McpServer): void {
  server.registerTool(
    `${PREFIX}elicitation`,
    { description: 'Asks for a name, then greets', inputSchema: noInput, annotations: READS },
    (_input, call) => {
      const declined = refusal(call, 'user_name');
      if (declined) return text(declined);
      const form = acceptedContent(call.mcpReq.inputResponses, 'user_name', nameForm);
      if (form) return text(`Hello, ${form.name}!`);
      return inputRequired({ inputRequests: { user_name: askName() } });
    },
  );
  server.registerTool(
    `${PREFIX}sampling`,
    { description: "Asks the client's model a question", inputSchema: noInput, annotations: READS },
    (_input, call) => {
      const answer = answerTo(call, 'capital_question', 'sampling');
      if (answer) return text(describeSample(answer.result));
      return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } });
    },
  );
  server.registerTool(
    `${PREFIX}list_roots`,
    { description: 'Asks the client for its roots', inputSchema: noInput, annotations: READS },
    (_input, call) => {
      const answer = answerTo(call, 'client_roots', 'roots');
      if (answer) return text(`Roots: ${describeRoots(answer)}`);
      return inputRequired({ inputRequests: { client_roots: listRoots } });
    },
  );
}

function registerWithState(server: McpServer, context: ServerContext): void {
  for (const tool of [`${PREFIX}request_state`, `${PREFIX}tampered_state`]) {
    server.registerTool(
      tool,
      { description: 'Asks for a confirmation under a signed state', inputSchema: noInput, annotations: READS },
      async (_input, call) => {
        const declined = refusal(call, 'confirm');
        if (declined) return text(declined);
        const form = acceptedContent(call.mcpReq.inputResponses, 'confirm', confirmForm);
        if (form && stateOf(call, tool)) return text(`state-ok: ${form.ok}`);
        return askWithState(context, { confirm: askConfirmation() }, { tool });
      },
    );
  }

  const tool = `${PREFIX}multiple_inputs`;
  server.registerTool(
    tool,
    { description: 'Asks user, model and roots in one round', inputSchema: noInput, annotations: READS },
    async (_input, call) => {
      const declined = refusal(call, 'user_name');
      if (declined) return text(declined);
      const form = acceptedContent(call.mcpReq.inputResponses, 'user_name', nameForm);
      const greeting = answerTo(call, 'greeting', 'sampling');
      const roots = answerTo(call, 'client_roots', 'roots');
      if (form && greeting && roots && stateOf(call, tool)) {
        return text(`${describeSample(greeting.result)} (${form.name}; roots: ${describeRoots(roots)})`);
      }
      const questions = {
        user_name: askName(),
        greeting: sample('Generate a greeting', 50),
        client_roots: listRoots,
      };
      return askWithState(context, questions, { tool });
    },
  );
}

interface TwoRounds {
  tool: string;
  first: { key: string; message: string };
  second: { key: string; message: string };
}

/** Name, then colour: the name given in the first round is known in the second only from the state. */
function registerTwoRounds(server: McpServer, context: ServerContext, { tool, first, second }: TwoRounds): void {
  server.registerTool(
    tool,
    { description: 'Asks for a name, then for a colour', inputSchema: noInput, annotations: READS },
    async (_input, call) => {
      const declined = refusal(call, first.key) ?? refusal(call, second.key);
      if (declined) return text(declined);

      const state = stateOf(call, tool);
      const colour = acceptedContent(call.mcpReq.inputResponses, second.key, colourForm);
      if (state?.name !== undefined && colour) return text(`${state.name} likes ${colour.color}.`);

      const form = acceptedContent(call.mcpReq.inputResponses, first.key, nameForm);
      const name = state && (state.name ?? form?.name);
      if (name !== undefined) {
        return askWithState(context, { [second.key]: askColour(second.message) }, { tool, name });
      }
      return askWithState(context, { [first.key]: askName(first.message) }, { tool });
    },
  );
}

/** Verified by the SDK before the handler runs; a state of another tool reads as none. */
function stateOf(call: CallContext, tool: string): RoundState | undefined {
  const state = stateSchema.safeParse(call.mcpReq.requestState()).data;
  return state?.tool === tool ? state : undefined;
}

async function askWithState(
  context: ServerContext,
  inputRequests: InputRequests,
  state: RoundState,
): Promise<InputRequiredResult> {
  return inputRequired({ inputRequests, requestState: await context.requestState.mint(state) });
}
