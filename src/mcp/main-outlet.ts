/**
 * Output onto the session's main stream: everything of an HTTP+SSE session, and what a notification's handlers say in
 * any session. There is no HTTP response to write to; whichever node holds the stream sends it.
 */
import { ErrorCode, errorResponse, type JsonRpcMessage, type JsonRpcResponse } from '../core/jsonrpc.js';
import type { Outlet, Refusal } from './outlet.js';

export type WriteMain = (message: JsonRpcMessage | ReturnType<typeof errorResponse>) => Promise<void>;

const REASONS: Record<Refusal, string> = {
  gone: 'The session has ended',
  unavailable: 'The store is out of reach',
  fenced: 'The call was taken over by another node',
};

export function createMainOutlet(write: WriteMain): Outlet {
  return {
    result: (response: JsonRpcResponse) => write(response),
    related: write,
    unrelated: write,
    unanswered: async () => {},
    refuse: async (request, refusal) => write(errorResponse(request.id, ErrorCode.InternalError, REASONS[refusal])),
    abandon: () => {},
    closeStream: () => {},
  };
}
