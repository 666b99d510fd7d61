/** A server asks its client from one node and is answered at another: result, error, many at once, and wrong ones. */
import { expect } from 'chai';
import { type RpcMessage, textOf } from '../support/json-rpc.js';
import { type Exchange, RawSession } from '../support/raw-client.js';
import { type ClusterSuite, metricOf, returned } from './probe-fleet.js';

const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const accept = (word: string) => ({ result: { action: 'accept', content: { word } } });

/** Tool, method it asks with, an answer, and what the tool makes of it. */
const QUESTIONS = [
  { tool: 'ask', args: { messages: ['?'] }, method: 'elicitation/create', ...accept('w'), wrapped: true },
  { tool: 'ask_unbound', args: {}, method: 'elicitation/create', ...accept('w'), wrapped: false },
  {
    tool: 'sample',
    args: { prompt: '?' },
    method: 'sampling/createMessage',
    result: { model: 'm', role: 'assistant', content: { type: 'text', text: 'w' } },
    wrapped: false,
  },
  { tool: 'roots', args: {}, method: 'roots/list', result: { roots: [{ uri: 'file:///w' }] }, wrapped: false },
  { tool: 'ping_client', args: {}, method: 'ping', result: {}, wrapped: false },
] as const;

export const answers: ClusterSuite = (fleet) => {
  let session: RawSession;
  beforeEach(async () => {
    session = await RawSession.open(fleet(), { capabilities: CAPABILITIES });
  });

  const ask = async (messages: string[], node: number): Promise<[Exchange, RpcMessage[]]> => {
    const call = await session.startTool('ask', { messages }, { node });
    return [call, await call.askedMany('elicitation/create', messages.length)];
  };

  for (const { tool, args, method, result, wrapped } of QUESTIONS) {
    it(`carries the result of ${method} (${tool}) from another node`, async () => {
      const call = await session.startTool(tool, args, { node: 0 });
      await session.reply(await call.asked(method), { result }, { node: 1 });
      const value = returned(await call.answer());
      expect(wrapped ? value[0] : value).to.deep.include(result);
    });

    it(`carries an error for ${method} (${tool}) from another node`, async () => {
      const call = await session.startTool(tool, args, { node: 1 });
      const error = { code: -1, message: 'the user said no' };
      await session.reply(await call.asked(method), { error }, { node: 2 });
      const value = returned(await call.answer());
      const got = wrapped ? value[0] : value;
      expect(got.error.code).to.equal(-1);
      expect(got.error.message).to.include('the user said no');
    });
  }

  it('puts each answer to its question when several are open and the order is reversed', async () => {
    const words = ['a', 'b', 'c', 'd', 'e'];
    const [call, asked] = await ask(words, 0);
    for (const [i, question] of [...asked].reverse().entries()) {
      await session.reply(question, accept(question.params.message), { node: i % 3 });
    }
    const values: { content: { word: string } }[] = returned(await call.answer());
    expect(values.map(({ content }) => content.word)).to.deep.equal(words);
  });

  it('asks under ids that are unique in the session, whichever node asks', async () => {
    const open = await Promise.all([0, 1, 2].map((node) => ask([`${node}a`, `${node}b`], node)));
    const asked = open.flatMap(([, questions]) => questions);
    expect(new Set(asked.map(({ id }) => id)).size).to.equal(6);
    await Promise.all(asked.map((q, i) => session.reply(q, accept(q.params.message), { node: i % 3 })));
    for (const [node, [call]] of open.entries()) {
      const words = returned(await call.answer()).map((value: { content: { word: string } }) => value.content.word);
      expect(words).to.deep.equal([`${node}a`, `${node}b`]);
    }
  });

  it('takes the first of two answers and drops the second', async () => {
    const [call, [first, second]] = await ask(['one', 'two'], 0);
    if (!first || !second) throw new Error('two questions expected');
    await session.reply(first, accept('first'), { node: 1 });
    await session.reply(first, accept('doubled'), { node: 1 });
    await session.reply(first, accept('doubled'), { node: 2 });
    await session.reply(second, accept('last'), { node: 1 });
    const words = returned(await call.answer()).map((value: { content: { word: string } }) => value.content.word);
    expect(words).to.deep.equal(['first', 'last']);
  });

  it('accepts and drops an answer that comes when the call is over', async () => {
    const [call, [question]] = await ask(['one'], 0);
    if (!question) throw new Error('a question expected');
    await session.reply(question, accept('in time'), { node: 1 });
    await call.answer();
    for (const node of [0, 1, 2]) await session.reply(question, accept('late'), { node });
    expect(await session.status()).to.equal(200);
  });

  it('drops answers under forged ids and goes on waiting for the right one', async () => {
    const [call, [question]] = await ask(['one'], 0);
    const real = String(question?.id);
    const last = real.at(-1) === '0' ? '1' : '0';
    const forged = [
      0,
      1,
      '0',
      '',
      'x',
      `${real.slice(0, -1)}${last}`,
      `${real}0`,
      real.slice(0, -1),
      real.toUpperCase(),
    ];
    for (const [i, id] of forged.filter((id) => id !== question?.id).entries()) {
      await session.accepted({ jsonrpc: '2.0', id, ...accept('forged') }, { node: i % 3 });
    }
    await session.reply(question ?? {}, accept('true'), { node: 1 });
    expect(returned(await call.answer())[0].content.word).to.equal('true');
  });

  it('drops answers from another session, even with the right id', async () => {
    const [call, [question]] = await ask(['one'], 0);
    const stranger = await RawSession.open(fleet(), { capabilities: CAPABILITIES });
    for (const node of [0, 1, 2]) await stranger.reply(question ?? {}, accept('foreign'), { node });
    await session.reply(question ?? {}, accept('own'), { node: 2 });
    expect(returned(await call.answer())[0].content.word).to.equal('own');
  });

  it('counts what was delivered and what was not', async () => {
    const before = await metricOf(fleet(), 'mcp_relayed_messages_total');
    const [call, [question]] = await ask(['one'], 0);
    await session.reply(question ?? {}, accept('w'), { node: 1 });
    await session.reply(question ?? {}, accept('w'), { node: 1 });
    await call.answer();
    expect(await metricOf(fleet(), 'mcp_relayed_messages_total')).to.be.greaterThan(before);
  });

  it('are not asked for what the client did not declare, on any node', async () => {
    const plain = await RawSession.open(fleet(), { capabilities: {} });
    for (const node of [0, 1, 2]) {
      const call = await plain.startTool('ask_unbound', {}, { node });
      const answer = await call.answer();
      expect(textOf(answer)).to.match(/elicitation/i);
      expect(call.response.messages.filter(({ method }) => method === 'elicitation/create')).to.deep.equal([]);
    }
  });

  it('are no longer wanted after the time-out: the client is told, and the call goes on without', async () => {
    const call = await session.startTool('ask_briefly', { ms: 400 }, { node: 0 });
    const question = await call.asked('elicitation/create');
    const answer = await call.answer();
    expect(returned(answer).error, textOf(answer)).to.be.an('object');
    const told = call.response.messages.find(({ method }) => method === 'notifications/cancelled');
    expect(told?.params.requestId).to.equal(question.id);
    await session.reply(question, accept('late'), { node: 1 });
  });

  it('find their calls: 200 questions at once, answered on random nodes in random order', async function () {
    this.timeout(90_000);
    const sessions = await Promise.all(
      Array.from({ length: 20 }, () => RawSession.open(fleet(), { capabilities: CAPABILITIES })),
    );
    const open = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const session = sessions[i % sessions.length] as RawSession;
        const call = await session.startTool('ask', { messages: [`word ${i}`] });
        return { session, call, question: await call.asked('elicitation/create'), i };
      }),
    );
    expect(new Set(open.map(({ question }) => question.id)).size).to.equal(200);
    const shuffled = open.map((item) => ({ item, key: Math.random() })).sort((a, b) => a.key - b.key);
    await Promise.all(
      shuffled.map(({ item: { session, question } }) => session.reply(question, accept(question.params.message))),
    );
    const answers = await Promise.all(
      open.map(async ({ call, i }) => [i, returned(await call.answer(60_000))] as const),
    );
    for (const [i, [value]] of answers) expect(value.content.word).to.equal(`word ${i}`);
  });
};
