/** Binding a server to its port, with the time-outs that balancers expect. */
import type { Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ErrorCode, errorResponse } from '../core/jsonrpc.js';

/** Longer than the idle time-outs of the usual balancers (60 s), which otherwise send into a connection we just closed. */
const KEEP_ALIVE_MS = 75_000;

/** The headers alone. More than the idle time-outs, since it also runs while nothing at all has come. */
const HEADERS_MS = KEEP_ALIVE_MS + 1000;

/**
 * How long connections may take. A request that trickles is ended, body included, at the latest a quarter of the time
 * (5 s at most) after its time is up: Node looks at all connections by one clock, not by a timer for each.
 */
export function timesOf(requestTimeoutMs: number): ServerOptions {
  return {
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(HEADERS_MS, requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(Math.ceil(requestTimeoutMs / 4), 5000),
  };
}

/** `onLate`: a request did not arrive in time. @throws the listener's error, such as a port that is taken. */
export function listen(server: Server, port: number, host: string, onLate?: () => void): Promise<AddressInfo> {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === LATE) onLate?.();
    refuse(error, socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

const LATE = 'ERR_HTTP_REQUEST_TIMEOUT';

const REFUSALS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large'],
  [LATE]: ['408 Request Timeout', 'the request did not arrive in time'],
};

/** What is not even HTTP is refused as everything else is: with a status and a JSON-RPC error. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] = REFUSALS[error.code ?? ''] ?? ['400 Bad Request', 'the request is not HTTP'];
  const body = JSON.stringify(errorResponse(null, ErrorCode.InvalidRequest, `Invalid Request: ${message}`));
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`);
}
