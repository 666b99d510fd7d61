/**
 * What a tool of the bundled servers answers with, and what it says of its own effects.
 *
 * The effects are promises, not decoration: when a node dies in the middle of a call, the fleet runs the call again on
 * another node only if its tool said that this does no harm. Not here: results that are more than one line of text.
 */
import type { CallToolResult, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server';

/** What every handler is given by the SDK for one call; named so as not to be taken for anynode's own context. */
export type CallContext = ServerContext;

/** Changes nothing: may be run again at any time. */
export const READS = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const satisfies ToolAnnotations;

/** Every run adds something: a second run would show. */
export const ADDS = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: false,
  openWorldHint: false,
} as const satisfies ToolAnnotations;

/** Does something, but twice is the same as once. */
export const REPEATS = { ...ADDS, idempotentHint: true } as const satisfies ToolAnnotations;

export function text(line: string): CallToolResult {
  return { content: [{ type: 'text', text: line }] };
}

/** A failure for the model to read and react to, as opposed to a JSON-RPC error, which is the client's business. */
export function failure(line: string): CallToolResult {
  return { ...text(line), isError: true };
}
