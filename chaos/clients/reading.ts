/** From a message to what the history says of it. */
import { isResponse, type RpcMessage } from '../../test/support/json-rpc.js';
import type { SseEvent } from '../../test/support/sse.js';
import type { Claim, Delivery } from '../history.js';

export const messageOf = ({ event, data }: SseEvent): RpcMessage | undefined =>
  data === undefined || data === '' || (event !== undefined && event !== 'message')
    ? undefined
    : (JSON.parse(data) as RpcMessage);

type Told = Pick<Delivery, 'what' | 'claim' | 'number' | 'uri' | 'error'>;

/** What a message is and what it says of itself. */
export function told(message: RpcMessage): Told {
  if (isResponse(message)) return answerTold(message);
  const { method, params } = message;
  switch (method) {
    case 'notifications/progress':
      return { what: 'progress', number: params?.progress, claim: claimIn(params?.message) };
    case 'elicitation/create':
      return { what: 'question', claim: claimIn(params?.message) };
    case 'notifications/message':
      return { what: 'note', number: params?.data?.number, claim: { session: params?.data?.session } };
    case 'notifications/resources/updated':
      return { what: 'change', uri: params?.uri };
    default:
      return { what: 'other' };
  }
}

function answerTold({ result, error }: RpcMessage): Told {
  if (error) {
    const retryable = (error.data as { retryable?: unknown } | undefined)?.retryable === true;
    return { what: 'answer', error: { code: error.code, message: error.message, retryable } };
  }
  const text: unknown = result?.content?.[0]?.text;
  if (result?.isError === true) {
    return { what: 'answer', error: { code: 0, message: String(text), retryable: false } };
  }
  return { what: 'answer', claim: claimIn(text) };
}

/** An answer to a question counts for the call it names: the two must be one. */
export function claimIn(text: unknown): Claim | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const { op, session, user, answer, state } = JSON.parse(text) as Record<string, string | undefined>;
    const named = [op, answer, state].filter((name) => name !== undefined);
    const strange = named.find((name) => name !== op);
    return { op: strange ?? op, session, user };
  } catch {
    return undefined;
  }
}
