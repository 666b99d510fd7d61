/**
 * Which servers take writes, and which of them has a key. One for a whole node: when it changes, every connection of
 * the node follows, those that are waiting and would not notice by themselves included.
 */
import type { RedisAddress, RedisTarget } from '../core/redis-target.js';
import type { FaultReports } from './faults.js';

export interface Topology {
  /** Begins to look; what is not known yet is known later. Idempotent. */
  start(): void;
  /** Servers that take writes; empty while none is known. */
  readonly masters: readonly RedisAddress[];
  /** The server that has a key; undefined while it is not known. */
  ownerOf(key: string): RedisAddress | undefined;
  /** Something did not go as it should: looks again, at once if that was not just done. */
  refresh(): void;
  /** A server said that another one has the key now (MOVED). */
  moved(key: string, owner: RedisAddress): void;
  /** Called when `masters` are others than before. Returns how to stop that. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export interface TopologyOptions {
  readonly target: RedisTarget;
  readonly timeoutMs: number;
  readonly reports: FaultReports;
}

export const nameOf = ({ host, port }: RedisAddress): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
