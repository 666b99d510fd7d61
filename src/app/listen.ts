/** Binding a server to its port, with the time-outs that balancers expect. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Longer than the idle time-outs of the usual balancers (60 s), which otherwise send into a connection we just closed. */
const KEEP_ALIVE_MS = 75_000;

/** @throws the listener's error, such as a port that is taken. */
export function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}
