/**
 * Who is calling, as far as a handler can know it in either era.
 *
 * A name a client gives itself is for display only. Not here: session ids and tokens, which are secrets and have no
 * place in the output of a tool.
 */
import { CLIENT_INFO_META_KEY, isSpecType, type McpServer } from '@modelcontextprotocol/server';
import type { ServerContext } from '../index.js';
import type { CallContext } from './reply.js';

/** The authenticated principal: the token's subject where it names one, else the client it was issued to. */
export function principalOf(context: ServerContext): string {
  const subject = context.authInfo?.extra?.sub;
  return typeof subject === 'string' ? subject : (context.authInfo?.clientId ?? 'anonymous');
}

/** A modern client introduces itself with every request, a legacy one did it once, at `initialize`. */
export function clientNameOf(server: McpServer, call: CallContext): string {
  const introduced = envelopeEntry(call, CLIENT_INFO_META_KEY);
  const info = isSpecType.Implementation(introduced) ? introduced : server.server.getClientVersion();
  return info?.name ?? 'an unnamed client';
}

/** The SDK hands the envelope on without naming its members: whatever is read from it is checked by its reader. */
export function envelopeEntry(call: CallContext, key: string): unknown {
  const envelope: Record<string, unknown> | undefined = call.mcpReq.envelope;
  return envelope?.[key];
}
