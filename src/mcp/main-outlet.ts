/**
 * Output onto the session's main stream: everything of an HTTP+SSE session, and what a notification's handlers say in
 * any session. There is no HTTP response to write to; whichever node holds the stream sends it.
 */
import { ErrorCode, errorResponse, type JsonRpcId, type JsonRpcResponse, responseText } from '../core/jsonrpc.js';
import type { Outlet, Refusal } from './outlet.js';

/** Appends a message, or the text of one; `finish`: it is the last one of its call. @throws StreamLost */
export type WriteMain = (message: object | string, options?: { readonly finish?: boolean }) => Promise<void>;

const REASONS: Record<Refusal, string> = {
  gone: 'The session has ended',
  unavailable: 'The store is out of reach',
  fenced: 'The call was taken over by another node',
};

/** Where the outlet belongs to a call: its name in the journal, and what to do when its last answer is stored. */
export interface MainCall {
  readonly callId: string;
  readonly onOver: () => void;
  /** Besides, where the last of its requests was cancelled: no answer takes the call out of the journal. */
  readonly onDropped: () => void;
}

export function createMainOutlet(write: WriteMain, expected: number, call?: MainCall): Outlet {
  let missing = expected;
  const answer = async (response: JsonRpcResponse): Promise<void> => {
    missing -= 1;
    await write(responseText(response), { finish: missing === 0 });
    if (missing === 0) call?.onOver();
  };
  return {
    callId: call?.callId,
    result: answer,
    related: (message) => write(message),
    unrelated: (message) => write(message),
    async unanswered() {
      missing -= 1;
      if (missing > 0) return;
      call?.onDropped();
      call?.onOver();
    },
    refuse: (request: { readonly id: JsonRpcId }, refusal) =>
      answer(errorResponse(request.id, ErrorCode.InternalError, REASONS[refusal])),
    abandon: () => {},
    closeStream: () => {},
  };
}
