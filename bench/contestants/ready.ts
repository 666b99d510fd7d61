/** What every contestant's process tells the bench: where it listens, and what it weighs when it is asked. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Weight {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

export function listenAndTell(server: Server): void {
  // Connections of the bench stay idle while the others have their turn.
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', () => tell((server.address() as AddressInfo).port));
}

export function tell(port: number): void {
  process.send?.({ port });
  // The bench is gone: so is its contestant, whatever ended it.
  process.once('disconnect', () => process.exit(0));
}

process.on('message', async (message) => {
  if (message !== 'weigh') return;
  // Twice: what a finalizer lets go of in the first is collected in the second.
  for (let i = 0; i < 2; i += 1) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ weight: { rss, heapUsed, external } satisfies Weight });
});
