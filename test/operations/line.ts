/**
 * The line between the nodes and their Redis: it can be slow, and it can be cut. Bytes pass as they are.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface Line {
  readonly port: number;
  /** Replies arrive this much later. */
  delayMs: number;
  /** Ends every connection; new ones are taken. */
  cut(): void;
  /** Carries nothing any more, on connections that stay open, as when a machine or a rule between has gone. */
  lose(): void;
  /** Carries again what is on new connections; those that were lost stay as they are. */
  find(): void;
  close(): Promise<void>;
}

export async function startLine(redisPort: number): Promise<Line> {
  const sockets = new Set<Socket>();
  let age = 0;
  let lost = false;
  const server = createServer((near) => {
    const born = age;
    const carries = (): boolean => born === age && !lost;
    const far = connect(redisPort, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => {});
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    near.on('data', (chunk: Buffer) => void (carries() && far.write(chunk)));
    // One after the other: what comes later must not overtake what is on its way.
    let onItsWay = Promise.resolve();
    far.on('data', (chunk: Buffer) => {
      const due = performance.now() + line.delayMs;
      onItsWay = onItsWay.then(async () => {
        if (due > performance.now()) await pause(due - performance.now());
        if (carries()) near.write(chunk);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const line: Line = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    lose() {
      lost = true;
    },
    find() {
      lost = false;
      age += 1;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      line.cut();
      await closed;
    },
  };
  return line;
}
