/** Binding a server to its port, with the time-outs that balancers expect. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ErrorCode, errorResponse } from '../core/jsonrpc.js';

/** Longer than the idle time-outs of the usual balancers (60 s), which otherwise send into a connection we just closed. */
const KEEP_ALIVE_MS = 75_000;

/** @throws the listener's error, such as a port that is taken. */
export function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1000;
  server.on('clientError', refuse);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** A turn of the event loop with nothing in it takes some 20 µs; what can come in within that time is the whole risk. */
const QUIET_MS = 0.2;
/** A process that is never quiet has more to lose by waiting than a request. */
const PATIENCE_MS = 500;

/**
 * Resolves right after a turn of the event loop in which nothing came in: the moment to stop listening.
 *
 * The system accepts connections before the process does, and resets those it has not taken yet when the listener closes:
 * a request that is in there is lost, and no careful balancer sends it again. The same goes for requests not yet read
 * on connections that look idle. A process that was busy, or had to wait for its processor, has many of them.
 */
export async function quietTurn(servers: readonly Server[]): Promise<void> {
  let came = false;
  const note = (): void => {
    came = true;
  };
  for (const server of servers) server.on('connection', note).on('request', note);
  const end = performance.now() + PATIENCE_MS;
  for (let last = performance.now(); ; ) {
    // Runs after the system was asked for what has come in, and before anything else.
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    if ((!came && now - last < QUIET_MS) || now >= end) break;
    [came, last] = [false, now];
  }
  for (const server of servers) server.off('connection', note).off('request', note);
}

/** What is not even HTTP is refused as everything else is: with a status and a JSON-RPC error. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are too large']
      : ['400 Bad Request', 'the request is not HTTP'];
  const body = JSON.stringify(errorResponse(null, ErrorCode.InvalidRequest, `Invalid Request: ${message}`));
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`);
}
