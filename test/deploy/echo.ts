/** Stands in for a node where a test is about what a balancer makes of a request: it answers with what it was sent. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Echo {
  readonly port: number;
  /** Connections taken so far, those of health checks left out. */
  readonly connections: number;
  stop(): Promise<void>;
}

export async function startEcho(): Promise<Echo> {
  const used = new WeakSet<object>();
  let connections = 0;
  const server = createServer((req, res) => {
    if (req.url !== '/readyz' && !used.has(req.socket)) {
      used.add(req.socket);
      connections += 1;
    }
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ headers: req.headers }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
