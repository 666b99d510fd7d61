/**
 * The state of a call that takes several rounds: signed, handed to the client, and checked when it comes back.
 *
 * In a fleet the node brings the codec, with keys every node knows, so that any node can take the next round. Not here:
 * what the state says; each tool names its own flow in it and believes no other.
 */
import { randomBytes } from 'node:crypto';
import { createRequestStateCodec } from '@modelcontextprotocol/server';
import type { ServerContext } from '../../index.js';
import type { CallContext } from '../reply.js';

export interface RequestStateCodec {
  mint(value: unknown, call: CallContext): Promise<string> | string;
  /** @throws when the state is forged, expired or of another call; the SDK answers that with -32602. */
  verify(state: string, call: CallContext): unknown;
}

export interface EverythingContext extends ServerContext {
  readonly requestState?: RequestStateCodec;
}

/**
 * For a server run without a fleet, as in tests. The key is this process's own: a state minted here means nothing to
 * another process, which is why it must never be preferred to the codec of the node.
 */
const ownCodec: RequestStateCodec = createRequestStateCodec({
  key: randomBytes(32),
  bind: ({ mcpReq, http }) => `${mcpReq.method}\n${http?.authInfo?.clientId ?? ''}`,
});

export function requestStateCodecOf(context: EverythingContext): RequestStateCodec {
  return context.requestState ?? ownCodec;
}
