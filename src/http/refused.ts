import type { JsonRpcId } from '../core/jsonrpc.js';
import { faultOf, faults } from './faults.js';
import type { HttpFault } from './reply.js';

/** A request that cannot be served, with what it is answered. */
export class Refused extends Error {
  readonly fault: HttpFault;
  readonly id: JsonRpcId | null;
  constructor(fault: HttpFault, id: JsonRpcId | null = null, cause?: unknown) {
    super(fault.message, { cause });
    this.fault = fault;
    this.id = id;
  }
}

/** Whatever went wrong, to be answered with the id of the request. */
export function refusedWith(id: JsonRpcId | null, error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(faultOf(error) ?? faults.internal(), id, error);
}
