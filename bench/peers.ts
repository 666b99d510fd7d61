/** The request workloads, side by side. */

import type { RedisServer } from '../test/support/redis.js';
import { dismissAuthority, withTokens } from './contestants/authority.js';
import { contestant } from './contestants/index.js';
import { openAll } from './load/messages.js';
import { type Server, startServer } from './measure/processes.js';
import { type Figure, type Lane, measure } from './measure/rounds.js';
import type { Options } from './options.js';
import { WORKLOADS, type Workload } from './workloads/requests.js';

/** Enough that a server is never idle while it is measured. */
const CONNECTIONS = 16;

export interface Result {
  readonly workload: Workload;
  readonly figures: readonly Figure[];
}

export async function runPeers(
  options: Options,
  redis: RedisServer,
  onResult: (result: Result) => void,
): Promise<void> {
  const wanted = WORKLOADS.filter(({ id }) => options.only === undefined || options.only.includes(id));
  const ids = [...new Set(wanted.flatMap((workload) => workload.contestants))].filter(
    (id) => options.peers?.includes(id) ?? true,
  );
  const servers = new Map<string, Server>();
  try {
    await Promise.all(
      ids.map(async (id) => servers.set(id, await startServer(await withTokens(contestant(id)), redis.url))),
    );
    for (const workload of wanted) {
      const lanes: Lane[] = [];
      for (const id of workload.contestants) {
        const server = servers.get(id);
        if (!server) continue;
        const connections = await openAll(server.port, CONNECTIONS);
        const send = await workload.prepare(server.contestant, connections[0] as (typeof connections)[number]);
        lanes.push({ id, pids: [server.pid], connections, send });
      }
      const figures = await measure(lanes, { ...options, redisPid: redis.pid });
      for (const { connections } of lanes) for (const connection of connections) connection.close();
      onResult({ workload, figures });
    }
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
    await dismissAuthority();
  }
}
