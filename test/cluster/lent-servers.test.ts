/** Servers of a reusable module: lent to one exchange after another, and what must never come along. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, type RpcMessage, textOf } from '../support/json-rpc.js';
import { type Exchange, postMcp, RawSession } from '../support/raw-client.js';

const module = (name: string): string => fileURLToPath(new URL(`../support/servers/${name}.mjs`, import.meta.url));

interface Said {
  readonly serverNumber: number;
  readonly client?: string;
  readonly elicits?: boolean;
  readonly sessionId?: string;
  readonly current?: string;
}

/** Clients number alike: all calls have the same id. */
const call = async (session: RawSession, tool: string, args: object = {}): Promise<Said> =>
  JSON.parse(textOf(await session.callTool(tool, args, { node: 0, id: 7 })));

/** All that comes with a call, its answer last. */
async function messagesOf(session: RawSession, tool: string, args: object = {}): Promise<readonly RpcMessage[]> {
  const exchange = await session.startTool(tool, args, { node: 0, id: 7 });
  const answer = await exchange.answer();
  return exchange.response.isStream ? exchange.response.messages : [answer];
}

/** Everything the fleet's servers have ever said on a stream of this session's calls. */
const logsIn = (messages: readonly RpcMessage[]): unknown[] =>
  messages.filter(({ method }) => method === 'notifications/message').map(({ params }) => params.data);

for (const name of ['lent', 'lent-following', 'lent-quiet', 'lent-v1']) {
  describe(`servers of the reusable module ${name}`, () => {
    let fleet: Fleet;
    before(async () => {
      fleet = await startFleet({ nodes: 1, env: { MCP_SERVER: module(name) } });
    });
    after(() => fleet?.stop());

    it('go from one session to the next, and know which one they serve', async () => {
      const [a, b] = [await RawSession.open(fleet), await RawSession.open(fleet)];
      const seen: Said[] = [];
      for (const session of [a, b, a, b]) seen.push(await call(session, 'who'));
      expect(new Set(seen.map(({ serverNumber }) => serverNumber)).size).to.equal(1);
      expect(seen.map(({ sessionId }) => sessionId)).to.deep.equal([a.id, b.id, a.id, b.id]);
      if (name === 'lent-following') {
        expect(seen.map(({ current }) => current)).to.deep.equal([a.id, b.id, a.id, b.id]);
      }
    });

    if (name !== 'lent-v1') {
      it('ask the client of the request that they serve, and nobody where they do not say which', async () => {
        const session = await RawSession.open(fleet, { capabilities: { elicitation: {} } });
        const ask = (bound: boolean) => session.startTool('ask', { bound }, { node: 0 });
        const answered = async (exchange: Exchange): Promise<unknown> => {
          const { id } = await exchange.asked('elicitation/create');
          await session.post({ jsonrpc: '2.0', id, result: { action: 'accept', content: { word: 'yes' } } });
          return JSON.parse(textOf(await exchange.answer()));
        };
        expect(await answered(await ask(true))).to.deep.equal({ word: 'yes' });
        const unbound = await ask(false);
        if (name === 'lent-quiet') {
          expect(textOf(await unbound.answer())).to.match(/refused.*relatedRequestId/);
        } else expect(await answered(unbound)).to.deep.equal({ word: 'yes' });
      });
    }

    it('know nothing of a client that the session does not have', async () => {
      const plain = await RawSession.open(fleet);
      const asking = await RawSession.open(fleet, { capabilities: { elicitation: {} } });
      for (const [session, elicits] of [
        [plain, false],
        [asking, true],
        [plain, false],
        [asking, true],
      ] as const) {
        expect((await call(session, 'who')).elicits).to.equal(elicits);
      }
    });

    it('are never lent to two calls at once', async () => {
      const sessions = await Promise.all(Array.from({ length: 4 }, () => RawSession.open(fleet)));
      const talking = await call(sessions[0] as RawSession, 'talk-on');
      // All four wait for the same word, so all are being served when it is said.
      const said = await Promise.all(sessions.map((session) => messagesOf(session, 'listen')));
      const numbers = said.map((messages) => JSON.parse(textOf(messages.at(-1) as RpcMessage)).serverNumber);
      expect(new Set(numbers).size).to.equal(4);
      expect(numbers).to.include(talking.serverNumber);
    });

    it('say nothing to one client that a handler of another one says after its answer', async () => {
      const [a, b] = [await RawSession.open(fleet), await RawSession.open(fleet)];
      const talking = await call(a, 'talk-on');
      const said = await messagesOf(b, 'listen');
      // The very server that goes on talking serves the other session meanwhile.
      expect(JSON.parse(textOf(said.at(-1) as RpcMessage)).serverNumber).to.equal(talking.serverNumber);
      expect(logsIn(said)).to.deep.equal(['listening']);
    });

    it('apply the log level of the session they serve', async () => {
      const [quiet, loud] = [await RawSession.open(fleet), await RawSession.open(fleet)];
      await quiet.request('logging/setLevel', { level: 'error' }, { node: 0 });
      await loud.request('logging/setLevel', { level: 'debug' }, { node: 0 });
      for (let i = 0; i < 2; i += 1) {
        expect(logsIn(await messagesOf(quiet, 'log', { level: 'info' }))).to.deep.equal([]);
        expect(logsIn(await messagesOf(loud, 'log', { level: 'info' }))).to.deep.equal(['at info']);
      }
    });

    it('answer a handshake, and another one, with nothing of the one before', async () => {
      const first = await RawSession.open(fleet, { revision: '2025-03-26' });
      const unknown = await postMcp(fleet, initialize('1999-01-01'));
      expect((await unknown.json()).result.protocolVersion).to.equal(NEWEST_REVISION);
      const second = await RawSession.open(fleet, { revision: '2025-03-26', capabilities: { elicitation: {} } });
      expect(first.handshake.result.protocolVersion).to.equal('2025-03-26');
      expect((await call(second, 'who')).elicits).to.equal(true);
      expect((await call(first, 'who')).elicits).to.equal(false);
    });

    it('keep what they declared for subscriptions that the fleet keeps', async () => {
      const session = await RawSession.open(fleet, { capabilities: { roots: {} } });
      for (let i = 0; i < 3; i += 1) {
        const answer = await session.request('resources/subscribe', { uri: 'test://a' }, { node: 0 });
        expect(answer.result, JSON.stringify(answer)).to.deep.equal({});
      }
    });
  });
}

describe('lists that a module declares fixed', () => {
  let fleet: Fleet;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'anynode-lists-'));
    const file = join(directory, 'count');
    await writeFile(file, '...');
    fleet = await startFleet({ nodes: 2, env: { MCP_SERVER: module('lent'), LENT_COUNT_FILE: file } });
  });
  after(async () => {
    await fleet?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const list = (session: RawSession, node: number, id: string | number = 1): Promise<RpcMessage> =>
    session.request('tools/list', {}, { node, id });
  const counts = (session: RawSession): Promise<number[]> =>
    Promise.all([0, 1].map(async (node) => (await list(session, node)).result.tools.length));

  it('are answered with the id of each request, alike on all nodes', async () => {
    const session = await RawSession.open(fleet);
    const first = await list(session, 0, 'a "quoted" id');
    for (const [node, id] of [
      [0, 5],
      [1, 'x'],
      [1, 6],
      [0, 'y'],
    ] as const) {
      expect(await list(session, node, id)).to.deep.equal({ ...first, id });
    }
  });

  it('are new on every node as soon as a change is told, and not before', async () => {
    const session = await RawSession.open(fleet);
    const [before] = (await counts(session)) as [number];
    await session.callTool('more-tools', { told: false }, { node: 0 });
    expect(await counts(session)).to.deep.equal([before, before]);
    for (let i = 2; i < 6; i += 1) {
      await session.callTool('more-tools', { told: true }, { node: i % 2 });
      expect(await counts(session)).to.deep.equal([before + i, before + i]);
    }
  });

  it('come from a server where another page than the first is asked for', async () => {
    const session = await RawSession.open(fleet);
    const [before] = (await counts(session)) as [number];
    await session.callTool('more-tools', { told: false }, { node: 0 });
    const page = await session.request('tools/list', { cursor: 'somewhere' }, { node: 0 });
    expect(page.result.tools).to.have.lengthOf(before + 1);
    expect(await counts(session)).to.deep.equal([before, before]);
  });

  it('still belong to a session', async () => {
    const session = await RawSession.open(fleet);
    await counts(session);
    await session.delete();
    expect(await session.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { node: 0 })).to.have.property(
      'status',
      404,
    );
  });
});
