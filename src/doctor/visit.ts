/** What the checks of one run share: how to ask, what was asked for, and what earlier checks have found out. */

import type { Finding } from './finding.js';
import type { McpProber, Session } from './mcp.js';
import type { DoctorOptions } from './options.js';
import type { RedisFacts } from './redis-facts.js';

export interface Visit {
  readonly options: DoctorOptions;
  readonly mcp: McpProber;
  readonly inspectRedis: (url: string, keyPrefix: string, timeoutMs: number) => Promise<RedisFacts>;
  /** There as soon as the handshake has succeeded. */
  session: Session | undefined;
  /** Ids of nodes, as `/health` told them. */
  readonly nodes: Set<string>;
  /** How many nodes there should be: by option, else by the store. */
  expectedNodes: number | undefined;
  /** Set where nothing more can be asked of this address. */
  stop: boolean;
}

export interface Check {
  readonly name: string;
  /** Is skipped without a session. */
  readonly needsSession: boolean;
  /** Watches something for a while; runs beside the others, from the handshake on. */
  readonly watches?: boolean;
  /** Disturbs what is in front of the nodes; runs when all others are over. */
  readonly disturbs?: boolean;
  run(visit: Visit): Promise<readonly Finding[]>;
}

/** A check that runs only with a session has one. */
export function sessionOf({ session }: Visit): Session {
  if (!session) throw new Error('there is no session');
  return session;
}
