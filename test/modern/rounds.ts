/** Calls of several rounds: each round is a request of its own, on another node, and knows what came before. */
import { expect } from 'chai';
import { size, tell } from '../streams/scale.js';
import { expectRpcError } from '../support/expectations.js';
import { type RpcMessage, textOf } from '../support/json-rpc.js';
import type { Target } from '../support/raw-client.js';
import { ASKABLE, ask, callTool, type ModernOptions } from './modern-client.js';
import { inTurns, type ModernSuite, nodeAt } from './modern-suite.js';

const CALLS = size(60, 500);
const AT_ONCE = 10;
/** Calls whose first node is killed before the second round. */
const KILLS = size(1, 10);

const TOOL = 'ask_two_rounds';
const form = (content: object) => ({ action: 'accept', content });

/** One round of the call; what the last one asked is answered, and its state goes back as it came. */
export function round(
  target: Target,
  last: RpcMessage | undefined,
  inputResponses: object,
  options: ModernOptions = {},
): Promise<RpcMessage> {
  const more = last && { requestState: last.result.requestState, inputResponses };
  return callTool(target, TOOL, {}, { capabilities: ASKABLE, ...options, ...(more && { more }) });
}

/** The whole call; `between` may do harm to the fleet, and says where the next round goes. */
async function twoRounds(
  target: Target,
  name: string,
  between: (round: number) => Promise<ModernOptions> | ModernOptions,
): Promise<string> {
  const first = await round(target, undefined, {}, await between(0));
  expect(first.result?.resultType, JSON.stringify(first)).to.equal('input_required');
  const second = await round(target, first, { name: form({ name }) }, await between(1));
  expect(second.result?.resultType, JSON.stringify(second)).to.equal('input_required');
  expect(Object.keys(second.result.inputRequests)).to.deep.equal(['color']);
  return textOf(await round(target, second, { color: form({ color: 'blue' }) }, await between(2)));
}

export const rounds: ModernSuite = (fleet) => {
  it(`all end well, however many: ${CALLS} calls, every round on another node`, async () => {
    const texts = await inTurns(CALLS, AT_ONCE, (turn) =>
      twoRounds(fleet(), `Ada ${turn}`, (round) => ({ node: (turn + round) % 3 })),
    );
    const expected = texts.map((_, turn) => `Ada ${turn} likes blue.`);
    expect(texts).to.deep.equal(expected);
    tell(`${texts.length} of ${CALLS} calls`);
  });

  it('end well through the balancer, which nobody tells where the last round was', async () => {
    expect(await twoRounds(fleet(), 'Bob', () => ({}))).to.equal('Bob likes blue.');
  });

  it(`survive the node that took the first round: ${KILLS} killed`, async () => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const text = await twoRounds(fleet(), 'Eve', async (round) => {
        if (round === 1) await fleet().kill(nodeAt(fleet(), 0));
        return { node: round === 0 ? 0 : round - 1 };
      });
      expect(text).to.equal('Eve likes blue.');
      await fleet().addNode();
    }
  });

  it('are judged by what each of them declares: the second may not ask what only the first allowed', async () => {
    const first = await round(fleet(), undefined, {}, { node: 0 });
    const params = { name: TOOL, arguments: {}, requestState: first.result.requestState };
    const inputResponses = { name: form({ name: 'Ada' }) };
    const response = await ask(fleet(), 'tools/call', { ...params, inputResponses }, { node: 1 });
    await expectRpcError(response, 400, -32021);
  });

  it('carry no hint that they may be cached, and no request of the server with an id of its own', async () => {
    const { result } = await round(fleet(), undefined, {});
    expect(result).to.not.have.any.keys('ttlMs', 'cacheScope', 'content');
    expect(result.inputRequests.name).to.have.all.keys('method', 'params');
  });
};
