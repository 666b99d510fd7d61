/**
 * Many tenants with the very same JSON-RPC ids, tools and arguments' shapes, on all nodes at once, served by servers
 * that are lent from one exchange to the next. Every answer, progress and question carries whose it is.
 */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { withChance } from '../streams/chance.js';
import { size } from '../streams/scale.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { type RpcMessage, textOf } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';

const MODULE = fileURLToPath(new URL('./servers/tenants.mjs', import.meta.url));
const TENANTS = 20;
const CALLS = process.env.CI ? 10_000 : size(2000, 10_000);
/** Calls under way at once; every one of them has an id that many others have too. */
const AT_ONCE = 64;

const users = Array.from({ length: TENANTS }, (_, i) => ({ user: `user-${i}`, token: `token-of-user-${i}-5f1c` }));

describe(`tenants with equal ids on servers that are lent (${CALLS} calls)`, () => {
  let fleet: Fleet;
  let sessions: RawSession[];
  before(async () => {
    const AUTH_TOKENS = users.map(({ user, token }) => `${user}:${token}`).join(',');
    fleet = await startFleet({ env: { MCP_SERVER: MODULE, AUTH_TOKENS, STREAM_UPGRADE_MS: '20' } });
    sessions = await Promise.all(
      users.map(({ token }) =>
        RawSession.open(fleet, { capabilities: { elicitation: {} }, headers: { Authorization: `Bearer ${token}` } }),
      ),
    );
  });
  after(() => fleet?.stop());

  /** What must be true of everything that comes back: it is this tenant's and this call's. */
  function expectOwn(tenant: number, nonce: string, seen: { nonce?: string; sessionId?: string; user?: string }): void {
    expect(seen.nonce).to.equal(nonce);
    expect(seen.sessionId).to.equal(sessions[tenant]?.id);
    expect(seen.user).to.equal(`user-${tenant}`);
  }

  async function echo(tenant: number, nonce: string, id: number, ms?: number): Promise<void> {
    const session = sessions[tenant] as RawSession;
    const message = await session.callTool('echo', { nonce, ...(ms !== undefined && { ms }) }, { id, node: id % 3 });
    const { before, after, ...rest } = JSON.parse(textOf(message));
    expectOwn(tenant, nonce, { ...rest, ...before });
    expectOwn(tenant, nonce, { ...rest, ...after });
  }

  async function progress(tenant: number, nonce: string, id: number): Promise<void> {
    const session = sessions[tenant] as RawSession;
    const call = await session.startTool('progress', { nonce }, { id, node: id % 3, progressToken: id });
    const { sessionId, user, nonce: back } = JSON.parse(textOf(await call.answer()));
    expectOwn(tenant, nonce, { nonce: back, sessionId, user });
    const told = call.response.messages.filter((m: RpcMessage) => m.method === 'notifications/progress');
    expect(told.map(({ params }) => [params.progressToken, params.progress, params.message])).to.deep.equal(
      [1, 2, 3].map((step) => [id, step, `${nonce} ${session.id}`]),
    );
  }

  async function ask(tenant: number, nonce: string, id: number): Promise<void> {
    const session = sessions[tenant] as RawSession;
    const call = await session.startTool('ask', { nonce }, { id, node: id % 3 });
    const asked = await call.asked('elicitation/create');
    expect(asked.params.message).to.equal(nonce);
    // Everybody else answers first, with the id that was meant for this one; none of it arrives.
    const thief = sessions[(tenant + 1) % TENANTS] as RawSession;
    await thief.reply(asked, { result: { action: 'accept', content: { secret: `forged by ${tenant + 1}` } } });
    await session.reply(
      asked,
      { result: { action: 'accept', content: { secret: `of ${nonce}` } } },
      { node: (id + 1) % 3 },
    );
    const { secret, ...seen } = JSON.parse(textOf(await call.answer()));
    expect(secret).to.equal(`of ${nonce}`);
    expectOwn(tenant, nonce, seen);
  }

  it('get what is theirs and nothing else, whatever kind of call they make', () =>
    withChance(async (random) => {
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < CALLS) {
          const call = next++;
          const tenant = random.between(0, TENANTS - 1);
          // Ten ids for everybody: at any moment several tenants use the same.
          const id = call % 10;
          const nonce = `call-${call}`;
          const kind = random.between(0, 19);
          if (kind === 0) await ask(tenant, nonce, id);
          else if (kind <= 3) await progress(tenant, nonce, id);
          else await echo(tenant, nonce, id, kind <= 6 ? random.between(1, 40) : undefined);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    })).timeout(180_000);

  it('have each a state of their own under the same keys, and no key reaches beyond it', async () => {
    const keys = [
      'name',
      '__proto__',
      'constructor',
      'prototype',
      'hasOwnProperty',
      'toString',
      '',
      'a:b',
      '{tag}',
      '\r\n',
    ];
    for (const key of keys) {
      await Promise.all(
        sessions.slice(0, 4).map(async (session, i) => {
          const value = { polluted: `by ${i}`, nested: JSON.parse('{"__proto__":{"polluted":"deep"}}') };
          const { stored, plain } = JSON.parse(textOf(await session.callTool('remember', { key, value })));
          expect(plain, `prototypes after ${JSON.stringify(key)}`).to.equal(true);
          expect(stored.polluted).to.equal(`by ${i}`);
        }),
      );
      for (const [i, session] of sessions.slice(0, 4).entries()) {
        for (const node of [0, 1, 2]) {
          const { value } = JSON.parse(textOf(await session.callTool('recall', { key }, { node })));
          expect(value?.polluted, JSON.stringify(key)).to.equal(`by ${i}`);
        }
      }
      const { value } = JSON.parse(textOf(await (sessions[5] as RawSession).callTool('recall', { key })));
      expect(value, `${JSON.stringify(key)} of one who stored nothing`).to.equal(null);
    }
  });
});
