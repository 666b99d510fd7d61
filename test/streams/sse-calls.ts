/**
 * HTTP+SSE: a call that was acknowledged with 202 is answered once, although the node that ran it was killed.
 *
 * Not here: what POSTs are told while no stream is open (410), which the sentences on the transport say.
 */
import { expect } from 'chai';
import type { Fleet } from '../support/fleet.js';
import { type RpcMessage, request, textOf } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSseSession } from '../support/raw-sse-client.js';
import { type Chance, withChance } from './chance.js';
import { expectGrowing, progressOf } from './resuming-call.js';
import { size } from './scale.js';
import type { StreamSuite } from './stream-suite.js';

const KILLS = size(1, 10);
const STEPS = 10;
const DURATION_MS = 500;
const TOOLS = ['slow', 'slow_count'] as const;

export const sseCalls: StreamSuite = (fleet) => {
  const call = (tool: string): object =>
    request(tool, 'tools/call', {
      name: tool,
      arguments: { ms: DURATION_MS, steps: STEPS },
      _meta: { progressToken: tool },
    });

  /** A session whose calls run on the first node, killed when it has told something of each; and its new self. */
  const strike = async (streamNode: number, chance: Chance): Promise<RawSseSession> => {
    const session = await RawSseSession.open(fleet(), { node: streamNode });
    for (const tool of TOOLS) await session.post(call(tool), { node: 0 });
    const steps = chance.between(1, STEPS - 2);
    for (const tool of TOOLS) {
      await session.stream.waitFor(({ params }) => params?.progressToken === tool && params.progress >= steps, 'steps');
    }
    await fleet().kill(fleet().nodes[0] as NodeProcess);
    return session;
  };

  const expectOneAnswerEach = async (session: RawSseSession, seen: () => RpcMessage[]): Promise<void> => {
    for (const tool of TOOLS) {
      await session.stream.waitFor(({ id, method }) => id === tool && method === undefined, `answer to ${tool}`);
    }
    // Goes the way an answer that came twice would go.
    expect((await session.request('ping')).result).to.deep.equal({});
    const [[done, ...twice] = [], [refused, ...more] = []] = TOOLS.map((tool) =>
      seen().filter(({ id, method }) => id === tool && method === undefined),
    );
    expect([twice, more]).to.deep.equal([[], []]);
    expect(textOf(done ?? {})).to.equal(`slow: ${STEPS} steps done`);
    expect(refused?.error?.data, JSON.stringify(refused)).to.deep.include({ retryable: true });
    for (const tool of TOOLS) expectGrowing(progressOf(seen(), tool));
    expect(textOf(await session.callTool('count')), 'done once, then counted').to.equal('2');
  };

  const repair = (target: Fleet): Promise<NodeProcess> => target.addNode();

  it('comes on the stream that stayed open on another node', () =>
    withChance(async (chance) => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const session = await strike(1, chance);
        await expectOneAnswerEach(session, () => session.stream.messages);
        session.stream.close();
        await repair(fleet());
      }
    })).timeout(120_000);

  it('comes on the stream that the client opens again, where the node held both', () =>
    withChance(async (chance) => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const session = await strike(0, chance);
        const before = session.stream;
        await before.untilEnd();
        const lastEventId = before.events.findLast(({ id }) => id !== undefined)?.id ?? '';
        await session.reconnect({ headers: { 'Last-Event-ID': lastEventId } });
        await expectOneAnswerEach(session, () => [...before.messages, ...session.stream.messages]);
        session.stream.close();
        await repair(fleet());
      }
    })).timeout(120_000);
};
