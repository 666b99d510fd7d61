/**
 * Ids of the server's own requests, as clients see them.
 *
 * Every rebuilt server numbers its requests from 0, so their ids collide between exchanges and nodes. A wire id says
 * instead where the answer goes: node, exchange, number within the exchange. There is no table to look up, and the
 * random parts make a wire id as hard to guess as a session id. It says nothing readable about the node.
 *
 * Where the asking call is traced, the id carries the trace as well: the answer may come to any node, from a client that
 * knows nothing of traces, and that node has nothing else to go by.
 */
import { packTraceContext, type TraceContext, unpackTraceContext } from './trace-context.js';

export interface WireId {
  readonly nodeToken: string;
  readonly exchangeId: string;
  readonly number: number;
  /** The span of the question. */
  readonly trace?: TraceContext | undefined;
}

const FORM = /^([\w-]{12})\.([\w-]{16})\.([0-9a-z]{1,7})(?:\.([\w-]{34}))?$/;

export function formatWireId({ nodeToken, exchangeId, number, trace }: WireId): string {
  const id = `${nodeToken}.${exchangeId}.${number.toString(36)}`;
  return trace ? `${id}.${packTraceContext(trace)}` : id;
}

/** Undefined: nothing this fleet ever issued. */
export function parseWireId(id: unknown): WireId | undefined {
  const parts = typeof id === 'string' ? FORM.exec(id) : null;
  if (!parts) return undefined;
  return {
    nodeToken: parts[1] as string,
    exchangeId: parts[2] as string,
    number: Number.parseInt(parts[3] as string, 36),
    ...(parts[4] !== undefined && { trace: unpackTraceContext(parts[4]) }),
  };
}
