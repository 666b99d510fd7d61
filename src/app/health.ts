/** "Send me traffic": whether this node can serve, and if not, why. */
import { type Store, StoreUnavailable } from '../core/ports/store.js';
import type { HealthReport } from '../http/ops-routes.js';

export interface HealthOptions {
  readonly store: Store;
  readonly nodeId: string;
  /** Whether the node has its place in the fleet. */
  readonly joined: boolean;
  readonly draining: boolean;
}

export async function healthOf({ store, nodeId, joined, draining }: HealthOptions): Promise<HealthReport> {
  let activeSessions: number | null = null;
  let reason: string | undefined;
  try {
    [activeSessions] = await Promise.all([store.sessions.count(), store.checkWritable()]);
  } catch (error) {
    reason = error instanceof StoreUnavailable ? reasonOf(error) : 'the store answers with errors';
  }
  const serves = joined && reason === undefined;
  return {
    status: draining ? 'draining' : serves ? 'healthy' : 'unhealthy',
    nodeId,
    activeSessions,
    timestamp: new Date().toISOString(),
    checks: {
      // Bound, but not yet a member of the fleet: nobody could be answered here.
      node: { status: joined ? 'up' : 'starting' },
      store: { kind: store.kind, status: reason === undefined ? 'up' : 'down', ...(reason && { reason }) },
    },
    uptimeSeconds: Math.floor(process.uptime()),
  };
}

/** With the word that Redis begins its errors with (`OOM`, `READONLY`, `LOADING`); the rest of them is not for everybody. */
function reasonOf(error: StoreUnavailable): string {
  const word = refusalOf(error);
  return word === undefined ? error.message : `${error.message} (${word})`;
}

/** Undefined: the store did not answer at all. */
export function refusalOf({ cause }: StoreUnavailable): string | undefined {
  return cause instanceof Error ? /^[A-Z]{2,20}\b/.exec(cause.message)?.[0] : undefined;
}
