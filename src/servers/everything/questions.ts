/**
 * The questions the fixtures ask, and how an answer is read.
 *
 * An answer comes from the client and is believed only in the shape that was asked for; anything else counts as not yet
 * answered, and the question is asked again. Not here: when to ask, which is each tool's own.
 */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type CreateMessageResult,
  type CreateMessageResultWithTools,
  type InputRequest,
  type InputResponseView,
  inputRequired,
  inputResponse,
  type McpServer,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { envelopeEntry } from '../caller.js';
import type { CallContext } from '../reply.js';

type Kind = Exclude<InputResponseView['kind'], 'missing'>;
type Answer<K extends Kind> = Extract<InputResponseView, { kind: K }>;

/** The answer under this key, when there is one and it is of the kind asked for. */
export function answerTo<K extends Kind>(call: CallContext, key: string, kind: K): Answer<K> | undefined {
  const view = inputResponse(call.mcpReq.inputResponses, key);
  return isOfKind(view, kind) ? view : undefined;
}

function isOfKind<K extends Kind>(view: InputResponseView, kind: K): view is Answer<K> {
  return view.kind === kind;
}

/** What to say when the user said no: who declines is not asked again. */
export function refusal(call: CallContext, key: string): string | undefined {
  const answer = answerTo(call, key, 'elicit');
  return answer && answer.action !== 'accept' ? `The user did not answer: ${answer.action}` : undefined;
}

export const nameForm = z.object({ name: z.string() });

export function askName(message = 'What is your name?'): InputRequest {
  return inputRequired.elicit({ message, requestedSchema: nameForm });
}

export function sample(prompt: string, maxTokens = 100): InputRequest {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens,
  });
}

/** With the empty params the fixtures name, which the SDK's own builder leaves out. */
export const listRoots: InputRequest = { method: 'roots/list', params: {} };

const capabilitySchema = z.object({
  elicitation: z.object({ form: z.unknown(), url: z.unknown() }).partial().optional(),
  sampling: z.object({}).optional(),
  roots: z.object({}).optional(),
});

/** What this client says it can answer. A client that names modes at all is shown a form only if it names that mode. */
export function askableOf(server: McpServer, call: CallContext): { form: boolean; model: boolean; roots: boolean } {
  const declared = envelopeEntry(call, CLIENT_CAPABILITIES_META_KEY) ?? server.server.getClientCapabilities();
  const { elicitation, sampling, roots } = capabilitySchema.safeParse(declared).data ?? {};
  return {
    form: elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined),
    model: sampling !== undefined,
    roots: roots !== undefined,
  };
}

export function describeForm({ action, content }: Answer<'elicit'>): string {
  return `action=${action}, content=${JSON.stringify(content ?? {})}`;
}

export function describeSample({ content }: CreateMessageResult | CreateMessageResultWithTools): string {
  const blocks = Array.isArray(content) ? content : [content];
  return blocks.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join(' ');
}

export function describeRoots({ roots }: Answer<'roots'>): string {
  return roots.length > 0 ? roots.map((root) => root.name ?? root.uri).join(', ') : 'none';
}
