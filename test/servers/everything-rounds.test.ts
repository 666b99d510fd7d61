/**
 * Calls of several rounds, as 2026-07-28 has them: every round is a request of its own, taken by a fresh server. What is
 * literal here is what the conformance suite looks for.
 */
import { expect } from 'chai';
import type { ServerContext } from '../../src/index.js';
import createServer from '../../src/servers/everything/index.js';
import { type Answers, callRaw, connectLegacy, connectModern, fakeNode, lineOf, serveModern } from './connect.js';

const PREFIX = 'test_input_required_result_';
const fetch = serveModern(() => createServer(fakeNode('modern').context));
const call = (name: string, more: Record<string, unknown> = {}, capabilities?: Record<string, unknown>) =>
  callRaw(fetch, 'tools/call', { name, arguments: {}, ...more }, capabilities);

const accept = (content: Record<string, unknown>) => ({ action: 'accept', content });
const sampled = (text: string) => ({ role: 'assistant', model: 'm', content: { type: 'text', text } });
const roots = { roots: [{ uri: 'file:///test/root', name: 'Test Root' }] };
const form = (properties: Record<string, unknown>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});

describe('everything: calls of several rounds', () => {
  it('asks for user_name, and greets', async () => {
    const name = `${PREFIX}elicitation`;
    const first = await call(name);
    expect(first.result.resultType).to.equal('input_required');
    expect(Object.keys(first.result.inputRequests)).to.deep.equal(['user_name']);
    const { method, params } = first.result.inputRequests.user_name;
    expect(method).to.equal('elicitation/create');
    expect(params.message).to.equal('What is your name?');
    expect(params.requestedSchema).to.deep.include(form({ name: { type: 'string' } }));
    expect(first.result).to.not.have.property('requestState');

    const second = await call(name, { inputResponses: { user_name: accept({ name: 'Alice' }) } });
    expect(second.result.resultType).to.equal('complete');
    expect(second.result.content).to.deep.equal([{ type: 'text', text: 'Hello, Alice!' }]);
  });

  it('takes an answer nobody asked for, with keys nobody knows', async () => {
    const inputResponses = { user_name: accept({ name: 'Alice' }), stranger: accept({ x: 1 }) };
    const { result } = await call(`${PREFIX}elicitation`, { inputResponses, unknownField: true });
    expect(lineOf(result)).to.equal('Hello, Alice!');
  });

  it('asks again when the answer is missing or of another shape', async () => {
    for (const inputResponses of [
      { wrong_key: accept({ name: 'Alice' }) },
      { user_name: 12345 },
      { user_name: accept({ name: 12345 }) },
      { user_name: sampled('Alice') },
      null,
    ]) {
      const { result } = await call(`${PREFIX}elicitation`, { inputResponses });
      expect(result?.resultType, JSON.stringify(inputResponses)).to.not.equal('complete');
    }
  });

  it('does not ask again who said no', async () => {
    const { result } = await call(`${PREFIX}elicitation`, { inputResponses: { user_name: { action: 'decline' } } });
    expect([result.resultType, lineOf(result)]).to.deep.equal(['complete', 'The user did not answer: decline']);
  });

  it('asks the model under capital_question', async () => {
    const name = `${PREFIX}sampling`;
    const { result } = await call(name);
    expect(result.inputRequests).to.deep.equal({
      capital_question: {
        method: 'sampling/createMessage',
        params: {
          messages: [{ role: 'user', content: { type: 'text', text: 'What is the capital of France?' } }],
          maxTokens: 100,
        },
      },
    });
    const answered = await call(name, { inputResponses: { capital_question: sampled('Paris.') } });
    expect(lineOf(answered.result)).to.equal('Paris.');
  });

  it('asks for the roots under client_roots', async () => {
    const name = `${PREFIX}list_roots`;
    const { result } = await call(name);
    expect(result.inputRequests).to.deep.equal({ client_roots: { method: 'roots/list', params: {} } });
    const answered = await call(name, { inputResponses: { client_roots: roots } });
    expect(lineOf(answered.result)).to.equal('Roots: Test Root');
  });

  it('wants its state back with the answer', async () => {
    const name = `${PREFIX}request_state`;
    const { result } = await call(name);
    expect(result.inputRequests.confirm.params.requestedSchema).to.deep.include(form({ ok: { type: 'boolean' } }));
    expect(result.requestState).to.be.a('string').and.not.empty;
    const inputResponses = { confirm: accept({ ok: true }) };
    const answered = await call(name, { inputResponses, requestState: result.requestState });
    expect(lineOf(answered.result)).to.equal('state-ok: true');
    expect((await call(name, { inputResponses })).result.resultType).to.equal('input_required');
  });

  it('asks three kinds of things in one round', async () => {
    const name = `${PREFIX}multiple_inputs`;
    const { result } = await call(name);
    const methods = Object.entries(result.inputRequests as Record<string, { method: string }>);
    expect(methods.map(([key, { method }]) => [key, method])).to.deep.equal([
      ['user_name', 'elicitation/create'],
      ['greeting', 'sampling/createMessage'],
      ['client_roots', 'roots/list'],
    ]);
    const { requestState } = result;
    const inputResponses = {
      user_name: accept({ name: 'Alice' }),
      greeting: sampled('Hello there!'),
      client_roots: roots,
    };
    const answered = await call(name, { inputResponses, requestState });
    expect(lineOf(answered.result)).to.equal('Hello there! (Alice; roots: Test Root)');
    const { greeting: _greeting, ...incomplete } = inputResponses;
    expect((await call(name, { inputResponses: incomplete, requestState })).result.resultType).to.equal(
      'input_required',
    );
  });

  for (const [name, step1, step2] of [
    [`${PREFIX}multi_round`, 'step1', 'step2'],
    ['ask_two_rounds', 'name', 'color'],
  ] as const) {
    it(`takes ${name} through two rounds, each with a state of its own`, async () => {
      const first = await call(name);
      expect(Object.keys(first.result.inputRequests)).to.deep.equal([step1]);
      const second = await call(name, {
        inputResponses: { [step1]: accept({ name: 'Alice' }) },
        requestState: first.result.requestState,
      });
      expect(second.result.resultType).to.equal('input_required');
      expect(Object.keys(second.result.inputRequests)).to.deep.equal([step2]);
      expect(second.result.requestState).to.be.a('string').and.not.equal(first.result.requestState);
      const third = await call(name, {
        inputResponses: { [step2]: accept({ color: 'blue' }) },
        requestState: second.result.requestState,
      });
      expect(lineOf(third.result)).to.equal('Alice likes blue.');
    });
  }

  it('refuses a state that was tampered with, and takes no other tool’s for its own', async () => {
    const name = `${PREFIX}tampered_state`;
    const { requestState } = (await call(name)).result;
    const inputResponses = { confirm: accept({ ok: true }) };
    const forged = await call(name, { inputResponses, requestState: `${requestState}-TAMPERED` });
    expect(forged.error).to.deep.include({ code: -32602, data: { reason: 'invalid_request_state' } });
    const honest = await call(name, { inputResponses, requestState });
    expect(honest.result.resultType).to.equal('complete');
    const borrowed = await call(`${PREFIX}request_state`, { inputResponses, requestState });
    expect(borrowed.result.resultType).to.equal('input_required');
  });

  it('has its states made by the node, whose keys the other nodes know', async () => {
    const context: ServerContext = {
      ...fakeNode('modern').context,
      requestState: {
        mint: async (value) => `fleet:${JSON.stringify(value)}`,
        verify: async (state) => JSON.parse(state.slice('fleet:'.length)),
      },
    };
    const fleet = serveModern(() => createServer(context));
    const name = `${PREFIX}request_state`;
    const { result } = await callRaw(fleet, 'tools/call', { name });
    expect(result.requestState).to.equal(`fleet:{"tool":"${name}"}`);
    const inputResponses = { confirm: accept({ ok: true }) };
    const answered = await callRaw(fleet, 'tools/call', { name, inputResponses, requestState: result.requestState });
    expect(lineOf(answered.result)).to.equal('state-ok: true');
  });

  it('asks only for what the client can answer', async () => {
    const name = `${PREFIX}capabilities`;
    const asked = async (capabilities: Record<string, unknown>) =>
      Object.keys((await call(name, {}, capabilities)).result.inputRequests ?? {});
    expect(await asked({ sampling: {} })).to.deep.equal(['greeting']);
    expect(await asked({ elicitation: {} })).to.deep.equal(['user_name']);
    expect(await asked({ elicitation: { url: {} } })).to.deep.equal([]);
    expect(await asked({ elicitation: { form: {} }, sampling: {}, roots: {} })).to.deep.equal([
      'user_name',
      'greeting',
      'client_roots',
    ]);
    const answered = await call(name, { inputResponses: { greeting: sampled('Hi') } }, { sampling: {} });
    expect(answered.result.resultType).to.equal('complete');
  });

  it('refuses test_missing_capability without sampling, and says what is missing', async () => {
    const { status, error } = await call('test_missing_capability', {}, {});
    expect([status, error?.code]).to.deep.equal([400, -32021]);
    expect(error?.data?.requiredCapabilities).to.deep.equal({ sampling: {} });
  });

  it('never sends a request of its own on the stream of test_streaming_elicitation', async () => {
    const answer = await call('test_streaming_elicitation', {}, { elicitation: {} });
    expect(answer.notifications).to.deep.equal([]);
    expect(answer.result.resultType).to.equal('input_required');
  });

  it('asks for user_context before it gives its prompt', async () => {
    const name = 'test_input_required_result_prompt';
    const { result } = await callRaw(fetch, 'prompts/get', { name });
    expect(result.inputRequests.user_context.method).to.equal('elicitation/create');
    expect(result.inputRequests.user_context.params.requestedSchema).to.deep.include(
      form({ context: { type: 'string' } }),
    );
    const inputResponses = { user_context: accept({ context: 'tests' }) };
    const answered = await callRaw(fetch, 'prompts/get', { name, inputResponses });
    expect(answered.result.messages).to.deep.equal([
      { role: 'user', content: { type: 'text', text: 'Context: tests' } },
    ]);
  });

  it('compares the region of the header with the one in the body', async () => {
    const { result } = await callRaw(fetch, 'tools/list', {});
    const tools: { name: string; inputSchema: { properties: Record<string, unknown>; required?: string[] } }[] =
      result.tools;
    const schema = tools.find(({ name }) => name === 'test_x_mcp_header')?.inputSchema;
    expect(schema?.properties.region).to.include({ type: 'string', 'x-mcp-header': 'Region' });
    expect(schema?.properties.level).to.include({ type: 'integer' });
    expect(schema?.required ?? []).to.deep.equal([]);
    const mismatch = await call('test_x_mcp_header', { arguments: { region: 'Hello' } });
    expect([mismatch.status, mismatch.error?.code]).to.deep.equal([400, -32020]);
  });

  const answers: Answers = {
    elicit: ({ message }) => ({
      action: 'accept',
      content: String(message).includes('color') ? { color: 'blue' } : { name: 'Alice', ok: true, context: 'tests' },
    }),
    sample: 'Hello there!',
    roots: roots.roots,
  };
  const endings: [tool: string, line: string][] = [
    [`${PREFIX}elicitation`, 'Hello, Alice!'],
    [`${PREFIX}sampling`, 'Hello there!'],
    [`${PREFIX}list_roots`, 'Roots: Test Root'],
    [`${PREFIX}request_state`, 'state-ok: true'],
    [`${PREFIX}multiple_inputs`, 'Hello there! (Alice; roots: Test Root)'],
    [`${PREFIX}multi_round`, 'Alice likes blue.'],
    ['ask_two_rounds', 'Alice likes blue.'],
    [`${PREFIX}capabilities`, 'All that could be asked was answered.'],
    ['test_missing_capability', 'Hello there!'],
    ['test_streaming_elicitation', 'Hello, Alice!'],
  ];

  for (const [name, line] of endings) {
    it(`ends ${name} alike for the official clients of both eras`, async () => {
      const { client } = await connectLegacy(createServer(fakeNode('legacy').context), answers);
      expect(lineOf(await client.callTool({ name })), 'legacy').to.equal(line);
      const modern = await connectModern(fetch, answers);
      expect(lineOf(await modern.callTool({ name })), 'modern').to.equal(line);
      await modern.close();
    });
  }
});
