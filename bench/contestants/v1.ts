/**
 * SDK 1.x as its documentation shows it: sessions in a map of the process, each with a server and a transport of its
 * own; or, with `BENCH_MODE=stateless`, both built for every request. `BENCH_JSON=1`: its JSON answers instead of SSE.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { listenAndTell } from './ready.js';
import createV1Server from './v1-server.js';

const enableJsonResponse = process.env.BENCH_JSON === '1';
const transports = new Map<string, StreamableHTTPServerTransport>();

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function serveSession(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const sessionId = req.headers['mcp-session-id'];
  const known = typeof sessionId === 'string' ? transports.get(sessionId) : undefined;
  if (req.method !== 'POST') {
    if (known) await known.handleRequest(req, res);
    else res.writeHead(400).end();
    return;
  }
  const body = await bodyOf(req);
  if (known) {
    await known.handleRequest(req, res, body);
  } else if (isInitializeRequest(body)) {
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
      enableJsonResponse,
    });
    transport.onclose = () => void transports.delete(transport.sessionId ?? '');
    await createV1Server().connect(transport as never);
    await transport.handleRequest(req, res, body);
  } else {
    res.writeHead(400).end();
  }
}

async function serveStateless(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await bodyOf(req);
  const server = createV1Server();
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse });
  res.on('close', () => {
    void transport.close();
    void server.close();
  });
  await server.connect(transport as never);
  await transport.handleRequest(req, res, body);
}

const serve = process.env.BENCH_MODE === 'stateless' ? serveStateless : serveSession;
listenAndTell(createServer((req, res) => void serve(req, res)));
