/**
 * A plain HTTP balancer that gives every request to the next replica: no affinity, no table of sessions, no look into
 * a body. The demo and the tests put it in front of a fleet to show that none of that is needed.
 *
 * Guarantee: bodies stream both ways unbuffered; headers pass as they came, `Host` included; whoever goes away first
 * takes the other side along. A refused connection is tried on the next replica, since nothing was sent to it.
 *
 * Not here: health checks, TLS, retries of anything that may have reached a replica (a call could run twice).
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request given to one replica. */
export interface Forwarded {
  readonly method: string;
  readonly path: string;
  readonly replica: string;
}

export interface Balancer {
  readonly url: string;
  readonly port: number;
  /** Base URLs, in turn. May be replaced at any time; requests under way stay where they are. */
  replicas: readonly string[];
  /** Requests taken by each replica, by base URL. */
  readonly counts: ReadonlyMap<string, number>;
  /** Called when a replica has taken a request. */
  onForward: ((forwarded: Forwarded) => void) | undefined;
  close(): Promise<void>;
}

/** RFC 9110, 7.6.1: these speak of one connection only. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Name and value alternate, as `rawHeaders` has them: order, case and repeats survive. */
function endToEnd(message: http.IncomingMessage): string[] {
  const named = (message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  const kept: string[] = [];
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = message.rawHeaders.slice(i, i + 2);
    if (!dropped.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

function refuse(response: http.ServerResponse, reason: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(502, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: reason }));
}

export async function startBalancer(replicas: readonly string[], port = 0): Promise<Balancer> {
  let turn = 0;
  const counts = new Map<string, number>();
  const server = http.createServer((request, response) => {
    const list = balancer.replicas;
    const first = turn++;
    forward(
      request,
      response,
      list.map((_, i) => list[(first + i) % list.length] ?? ''),
    );
  });
  // A stream may be silent for as long as its session lives; the defaults would cut it.
  server.requestTimeout = 0;
  server.headersTimeout = 0;

  function forward(request: http.IncomingMessage, response: http.ServerResponse, candidates: readonly string[]): void {
    const [replica, ...others] = candidates;
    if (replica === undefined) {
      refuse(response, 'no replica takes connections');
      return;
    }
    const headers = endToEnd(request);
    if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked');
    headers.push('Connection', 'close');
    const { hostname, port: replicaPort } = new URL(replica);
    const upstream = http.request({
      agent: false,
      host: hostname,
      port: replicaPort,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers,
    });
    let connected = false;

    // Not one byte is written before the connection stands: that is what makes trying the next replica harmless.
    upstream.once('socket', (socket) => {
      socket.setNoDelay(true);
      socket.once('connect', () => {
        connected = true;
        counts.set(replica, (counts.get(replica) ?? 0) + 1);
        balancer.onForward?.({ method: request.method ?? '', path: request.url ?? '', replica });
        request.pipe(upstream);
      });
    });
    upstream.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', endToEnd(answer));
      response.flushHeaders();
      answer.pipe(response);
      answer.once('close', () => {
        if (!answer.complete) response.destroy();
      });
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      if (response.destroyed) return;
      if (!connected) forward(request, response, others);
      // After an early answer (413) the rest of the upload fails; the answer itself may well be whole.
      else if (!response.headersSent) refuse(response, error.code ?? error.message);
    });
    response.once('finish', () => request.resume());
    response.once('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const balancer: Balancer = {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    replicas,
    counts,
    onForward: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return balancer;
}
