/** The workloads that are counted in requests: what one request is, and who can serve it. */
import type { Contestant } from '../contestants/index.js';
import type { Connection } from '../load/connection.js';
import { greet, openSession, rpc } from '../load/messages.js';

/** Sends request number `i` and checks its answer. */
export type Send = (connection: Connection, i: number) => Promise<void>;

export interface Workload {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Ids of contestants, in the order of the table. */
  readonly contestants: readonly string[];
  /** Opens what the requests need. */
  prepare(contestant: Contestant, connection: Connection): Promise<Send>;
}

const SESSIONS = 64;
const ARGUMENTS = { city: 'Lisbon', days: 5 };
const SESSION_PEERS = ['v1-sessions', 'v1-json', 'v1-stateless', 'v2-stateless'];
const ANYNODE = ['anynode-reusable', 'anynode-fresh'];

async function sessionsOf(contestant: Contestant, connection: Connection): Promise<(string | undefined)[]> {
  if (contestant.speaks !== 'sessions') return [undefined];
  const sessions: string[] = [];
  for (let i = 0; i < SESSIONS; i += 1) sessions.push(await openSession(connection, contestant.headers));
  return sessions;
}

/** The same request over all sessions in turn; an answer is right when it contains `expected`. */
function repeated(method: string, params: Record<string, unknown>, expected: string): Workload['prepare'] {
  return async (contestant, connection) => {
    const sessions = await sessionsOf(contestant, connection);
    const requests = sessions.map((sessionId) => rpc(contestant, sessionId, method, params));
    return async (connection, i) => {
      const { status, text } = await connection.request(requests[i % requests.length] as string);
      if (status !== 200 || !text.includes(expected)) throw new Error(`${contestant.id}: ${text}`);
    };
  };
}

const call = repeated('tools/call', { name: 'forecast-7', arguments: ARGUMENTS }, 'Lisbon: 5 days');

export const WORKLOADS: readonly Workload[] = [
  {
    id: 'call',
    title: '`tools/call` over 64 sessions',
    unit: 'call',
    contestants: ['limit-a', 'limit-b', ...SESSION_PEERS, 'anynode-followed', ...ANYNODE],
    prepare: call,
  },
  {
    id: 'list',
    title: '`tools/list`, 20 tools',
    unit: 'list',
    contestants: [...SESSION_PEERS, 'anynode-lists', ...ANYNODE],
    prepare: repeated('tools/list', {}, '"forecast-18"'),
  },
  {
    id: 'progress',
    title: 'a call with 10 progress events',
    unit: 'call',
    contestants: ['v1-sessions', 'v1-stateless', 'v2-stateless', ...ANYNODE],
    prepare: async (contestant, connection) => {
      const params = { name: 'steps', arguments: ARGUMENTS, _meta: { progressToken: 'p' } };
      const send = repeated('tools/call', params, '"progress":10');
      return send(contestant, connection);
    },
  },
  {
    id: 'modern',
    title: '`tools/call` in 2026-07-28',
    unit: 'call',
    contestants: ['v2-modern', 'anynode-modern'],
    prepare: call,
  },
  {
    id: 'gates',
    title: '`tools/call` through authentication and limits',
    unit: 'call',
    contestants: ['anynode-open', 'anynode-tokens', 'anynode-jwt'],
    prepare: call,
  },
  {
    // The last one: sessions of the first SDK line stay in the memory of its process.
    id: 'open',
    title: 'opening a session: `initialize` and `initialized`',
    unit: 'session',
    contestants: [...SESSION_PEERS, ...ANYNODE],
    prepare: async ({ speaks }) =>
      speaks === 'sessions' ? async (connection) => void (await openSession(connection)) : greet,
  },
];
