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
