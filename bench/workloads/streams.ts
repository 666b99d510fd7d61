/** What an open idle stream costs its node in memory, after a garbage collection. */
import { type Contestant, contestant } from '../contestants/index.js';
import { Connection } from '../load/connection.js';
import { openSession, sessionHeaders } from '../load/messages.js';
import { type Server, startServer } from '../measure/processes.js';

export interface StreamWeight {
  readonly id: string;
  readonly streams: number;
  /** Bytes of resident memory for each stream. */
  readonly rss: number;
  /** Bytes of the heap for each. */
  readonly heap: number;
}

const OPENED_AT_ONCE = 50;

export function getStream(sessionId: string): string {
  const headers = { Host: '127.0.0.1', Accept: 'text/event-stream', ...sessionHeaders(sessionId) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `GET /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** A stream that is open: its head has come. What comes on it is told to `onText`, all of it each time. */
export async function openStream(
  port: number,
  sessionId: string,
  onText: (text: string) => void = () => {},
): Promise<Connection> {
  const connection = await Connection.open(port);
  await new Promise<void>((resolve, reject) => {
    connection
      .request(getStream(sessionId), (text) => {
        if (text.startsWith('HTTP/1.1 200')) resolve();
        else reject(new Error(`GET: ${text}`));
        onText(text);
      })
      // Ends when the connection is closed, by either side.
      .catch(reject);
  });
  return connection;
}

/** Calls `run` for 0 to count - 1, some at a time. */
export async function inBatches(count: number, run: (i: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < count; i += OPENED_AT_ONCE) {
    const size = Math.min(OPENED_AT_ONCE, count - i);
    await Promise.all(Array.from({ length: size }, (_, k) => run(i + k)));
  }
}

export async function openSessions(port: number, count: number): Promise<string[]> {
  const sessions: string[] = [];
  const connections = await Promise.all(Array.from({ length: 8 }, () => Connection.open(port)));
  await Promise.all(
    connections.map(async (connection) => {
      while (sessions.length < count) {
        const at = sessions.push('') - 1;
        sessions[at] = await openSession(connection);
      }
    }),
  );
  for (const connection of connections) connection.close();
  return sessions;
}

export async function measureStreams(redisUrl: string, count: number, ids: readonly string[]): Promise<StreamWeight[]> {
  const weights: StreamWeight[] = [];
  for (const id of ids) {
    const server = await startServer(contestant(id) as Contestant, redisUrl);
    try {
      weights.push(await weighStreams(id, server, count));
    } finally {
      await server.stop();
    }
  }
  return weights;
}

async function weighStreams(id: string, server: Server, count: number): Promise<StreamWeight> {
  const sessions = await openSessions(server.port, count);
  // A few streams first: what a process loads and grows once is not the price of a stream.
  const few = Math.min(50, count >> 1);
  const open: Connection[] = [];
  await inBatches(few, async (i) => void open.push(await openStream(server.port, sessions[i] as string)));
  // What a session that was just opened holds for a moment has gone by then.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const before = await server.weigh();
  await inBatches(count - few, async (i) => void open.push(await openStream(server.port, sessions[few + i] as string)));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const after = await server.weigh();
  for (const connection of open) connection.close();
  const streams = count - few;
  return { id, streams, rss: (after.rss - before.rss) / streams, heap: (after.heapUsed - before.heapUsed) / streams };
}
