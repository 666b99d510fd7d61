/**
 * HTTP+SSE: a call that was acknowledged with 202 is answered once, although the node that ran it was killed.
 *
 * Not here: what POSTs are told while no stream is open (410), which the sentences on the transport say.
 */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { type RpcMessage, request, textOf } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSseSession } from '../support/raw-sse-client.js';
import { type Chance, withChance } from './chance.js';
import { expectGrowing, progressOf } from './resuming-call.js';
import { counted, size } from './scale.js';
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

  /** A session whose calls run on the first node and have told something, its stream on the node named. */
  const begin = async (streamNode: number, steps: number): Promise<RawSseSession> => {
    const session = await RawSseSession.open(fleet(), { node: streamNode });
    for (const tool of TOOLS) await session.post(call(tool), { node: 0 });
    for (const tool of TOOLS) {
      await session.stream.waitFor(({ params }) => params?.progressToken === tool && params.progress >= steps, 'steps');
    }
    return session;
  };

  const expectOneAnswerEach = async (session: RawSseSession, seen: () => RpcMessage[]): Promise<void> => {
    const answersTo = (tool: string) => seen().filter(({ id, method }) => id === tool && method === undefined);
    await eventually(() => TOOLS.every((tool) => answersTo(tool).length > 0), { what: 'an answer to each call' });
    // Goes the way an answer that came twice would go.
    expect((await session.request('ping')).result).to.deep.equal({});
    const [[done, ...twice] = [], [counted, ...more] = []] = TOOLS.map(answersTo);
    expect([twice, more]).to.deep.equal([[], []]);
    expect(textOf(done ?? {})).to.equal(`slow: ${STEPS} steps done`);
    if (counted?.error) expect(counted.error.data).to.deep.include({ retryable: true });
    else expect(textOf(counted ?? {}), 'it was over before the kill').to.equal('1');
    for (const tool of TOOLS) expectGrowing(progressOf(seen(), tool));
    expect(textOf(await session.callTool('count')), 'done once, then counted').to.equal('2');
  };

  const strike = async (chance: Chance): Promise<void> => {
    const steps = chance.between(1, STEPS - 2);
    const [open, lost] = await Promise.all([begin(1, steps), begin(0, steps)]);
    await fleet().kill(fleet().nodes[0] as NodeProcess);
    const replacement = fleet().addNode();
    const before = lost.stream;
    await before.untilEnd();
    const lastEventId = before.events.findLast(({ id }) => id !== undefined)?.id ?? '';
    await lost.reconnect({ node: chance.between(0, 1), headers: { 'Last-Event-ID': lastEventId } });
    await Promise.all([
      expectOneAnswerEach(open, () => open.stream.messages),
      expectOneAnswerEach(lost, () => [...before.messages, ...lost.stream.messages]),
    ]);
    for (const { stream } of [open, lost]) stream.close();
    await replacement;
  };

  it(`comes on the stream that stayed open elsewhere, or on the one opened again, over ${counted(KILLS, 'kill')}`, () =>
    withChance(async (chance) => {
      for (let kill = 0; kill < KILLS; kill += 1) await strike(chance);
    })).timeout(120_000);
};
