/**
 * What the fleet needs of a datastore, as one object.
 *
 * Two adapters answer these ports: `redis` (the product) and `memory` (one process, embedded). Guarantees stand on
 * each method and are proved by one contract suite that runs over both.
 *
 * Not here: connection types, key names, scripts. Those are an adapter's own business.
 */
import type { Broker } from './broker.js';
import type { CallJournal } from './call-journal.js';
import type { ChangeLog } from './change-log.js';
import type { EventLog } from './event-log.js';
import type { NodeRegistry } from './node-registry.js';
import type { Rates } from './rates.js';
import type { SecretStore } from './secret-store.js';
import type { SessionStore } from './session-store.js';
import type { Slots } from './slots.js';

export interface Store {
  readonly kind: 'redis' | 'memory';
  readonly sessions: SessionStore;
  readonly log: EventLog;
  readonly calls: CallJournal;
  readonly changes: ChangeLog;
  readonly broker: Broker;
  readonly nodes: NodeRegistry;
  readonly slots: Slots;
  readonly rates: Rates;
  readonly secrets: SecretStore;
  /** Resolves when the store answers; throws {@link StoreUnavailable} when it does not in time. */
  ping(): Promise<void>;
  /** Resolves when the store takes writes, too: one that only reads (full, or demoted to a replica) serves no session. */
  checkWritable(): Promise<void>;
  /** Ends every connection. Pending calls reject with {@link StoreUnavailable}. Idempotent. */
  close(): Promise<void>;
}

/** Life times and bounds that the adapters apply; all in milliseconds unless named otherwise. */
export interface StoreLimits {
  /** Idle life of a session. */
  readonly sessionTtlMs: number;
  /** Absolute life of a session; 0: none. */
  readonly sessionMaxAgeMs: number;
  /** How long a finished stream can be replayed. */
  readonly streamTtlMs: number;
  /** Events kept per stream; older ones are trimmed (approximately, as Redis does it). */
  readonly streamMaxEvents: number;
  /** A node not heard of for this long is dead. */
  readonly nodeLeaseMs: number;
  /** Bytes (UTF-8) of all keys and values of a session's own state together; 0: any. */
  readonly stateMaxBytes: number;
  /** Keys of a session's own state; 0: any. */
  readonly stateMaxKeys: number;
}

/**
 * The store did not answer, or not in time. Never means "not found": doors turn it into 503 with `Retry-After`.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
