/**
 * Which nodes live. A node has a public name (`nodeId`, for people) and a token (random per boot, for the wire and
 * for keys), so that a restarted node is never taken for the one before it.
 */
export interface NodeRegistry {
  /** Takes a name for `nodeLeaseMs`. False: a living node with another token has it. */
  claim(nodeId: string, nodeToken: string): Promise<boolean>;
  /** Renews name and token. False: the lease had lapsed (and was taken anew if the name was still free). */
  heartbeat(nodeId: string, nodeToken: string): Promise<boolean>;
  /** Gives name and token back at once. */
  release(nodeId: string, nodeToken: string): Promise<void>;
  /** Whether the lease of that token holds. */
  isAlive(nodeToken: string): Promise<boolean>;
  /** Names of the living nodes, sorted. */
  list(): Promise<string[]>;
  /** Tokens of nodes whose lease lapsed or was given back, and that were not buried yet. */
  dead(): Promise<string[]>;
  /** Forgets a dead node: what it had has been taken over. Its inbox goes with it. Nothing happens to one that lives. */
  bury(nodeToken: string): Promise<void>;
  /** Takes or renews a duty that one node at a time does (the sweep). False: another one has it. */
  lead(duty: string, nodeToken: string, forMs: number): Promise<boolean>;
}
