/**
 * Ids of the server's own requests, as clients see them.
 *
 * Every rebuilt server numbers its requests from 0, so their ids collide between exchanges and nodes. A wire id says
 * instead where the answer goes: node, exchange, number within the exchange. There is no table to look up, and the
 * random parts make a wire id as hard to guess as a session id. It says nothing readable about the node.
 */
export interface WireId {
  readonly nodeToken: string;
  readonly exchangeId: string;
  readonly number: number;
}

const FORM = /^([\w-]{12})\.([\w-]{16})\.([0-9a-z]{1,7})$/;

export function formatWireId({ nodeToken, exchangeId, number }: WireId): string {
  return `${nodeToken}.${exchangeId}.${number.toString(36)}`;
}

/** Undefined: nothing this fleet ever issued. */
export function parseWireId(id: unknown): WireId | undefined {
  const parts = typeof id === 'string' ? FORM.exec(id) : null;
  if (!parts) return undefined;
  return {
    nodeToken: parts[1] as string,
    exchangeId: parts[2] as string,
    number: Number.parseInt(parts[3] as string, 36),
  };
}
