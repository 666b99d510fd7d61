/** Tools of `everything` that ask the client once, in both eras, and what they do when it cannot or will not answer. */
import { expect } from 'chai';
import createServer from '../../src/servers/everything/index.js';
import { type Answers, callRaw, connectLegacy, connectModern, fakeNode, lineOf, serveModern } from './connect.js';

const legacy = (answers: Answers) => connectLegacy(createServer(fakeNode('legacy').context), answers);
const serve = () => serveModern(() => createServer(fakeNode('modern').context));
const fetch = serve();

const accept = (content: Record<string, string>): Answers => ({ elicit: () => ({ action: 'accept', content }) });

describe('everything: questions', () => {
  it('asks the model with the prompt it was given, and answers with what came back', async () => {
    const { client, asked } = await legacy({ sample: 'It is fine.' });
    const call = { name: 'test_sampling', arguments: { prompt: 'Test prompt for sampling' } };
    expect(lineOf(await client.callTool(call))).to.equal('LLM response: It is fine.');
    expect(asked).to.have.lengthOf(1);
    expect(asked[0]).to.deep.include({
      messages: [{ role: 'user', content: { type: 'text', text: 'Test prompt for sampling' } }],
      maxTokens: 100,
    });
  });

  it('asks the user with the message it was given, for two strings', async () => {
    const { client, asked } = await legacy(accept({ username: 'testuser', email: 'test@example.com' }));
    const result = await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who are you?' } });
    expect(lineOf(result)).to.equal(
      'User response: action=accept, content={"username":"testuser","email":"test@example.com"}',
    );
    expect(asked[0]).to.include({ message: 'Who are you?' });
    expect(asked[0]).to.have.nested.property('requestedSchema.properties.username.type', 'string');
    expect(asked[0]).to.have.nested.property('requestedSchema.properties.email.type', 'string');
  });

  it('asks with a default for every primitive type', async () => {
    const { client, asked } = await legacy(accept({}));
    await client.callTool({ name: 'test_elicitation_sep1034_defaults' });
    expect(asked[0])
      .to.have.nested.property('requestedSchema.properties')
      .that.deep.equals({
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      });
  });

  it('asks with every form of a choice, and takes the members of each', async () => {
    const content = {
      untitledSingle: 'option1',
      titledSingle: 'value1',
      legacyEnum: 'opt1',
      untitledMulti: ['option1', 'option2'],
      titledMulti: ['value1', 'value2'],
    };
    const { client, asked } = await legacy({ elicit: () => ({ action: 'accept', content }) });
    const result = await client.callTool({ name: 'test_elicitation_sep1330_enums' });
    expect(lineOf(result)).to.equal(`Elicitation completed: action=accept, content=${JSON.stringify(content)}`);

    const titled = [
      { const: 'value1', title: 'First Option' },
      { const: 'value2', title: 'Second Option' },
      { const: 'value3', title: 'Third Option' },
    ];
    expect(asked[0])
      .to.have.nested.property('requestedSchema.properties')
      .that.deep.equals({
        untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
        titledSingle: { type: 'string', oneOf: titled },
        legacyEnum: {
          type: 'string',
          enum: ['opt1', 'opt2', 'opt3'],
          enumNames: ['Option One', 'Option Two', 'Option Three'],
        },
        untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
        titledMulti: { type: 'array', items: { anyOf: titled } },
      });
  });

  const answers: Answers = {
    elicit: (params) => ({ action: 'accept', ...(params.mode !== 'url' && { content: { colour: 'blue' } }) }),
    sample: 'Paris',
    roots: [{ uri: 'file:///home/alice', name: 'home' }, { uri: 'file:///tmp' }],
  };
  const expected: [tool: string, line: string][] = [
    ['ask_form', 'Elicitation completed: action=accept, content={"colour":"blue"}'],
    ['ask_url', 'The user answered: accept'],
    ['ask_model', 'The model answered: Paris'],
    ['ask_roots', 'Roots: home, file:///tmp'],
  ];

  for (const [name, line] of expected) {
    it(`finishes ${name} with the answer, in the legacy and in the modern era`, async () => {
      const { client } = await legacy(answers);
      expect(lineOf(await client.callTool({ name })), 'legacy').to.equal(line);
      const modern = await connectModern(serve(), answers);
      expect(lineOf(await modern.callTool({ name })), 'modern').to.equal(line);
      await modern.close();
    });

    it(`refuses ${name} to a client that cannot answer, and asks nothing`, async () => {
      const { client } = await legacy({});
      const result = await client.callTool({ name });
      expect(result.isError).to.equal(true);
      expect(lineOf(result)).to.match(/did not declare the required capability/);
      const modern = await callRaw(fetch, 'tools/call', { name }, {});
      expect([modern.status, modern.error?.code]).to.deep.equal([400, -32021]);
    });
  }

  it('gives a page to open an elicitation id in the legacy era, which wants one, and none in the modern', async () => {
    const { client, asked } = await legacy(answers);
    await client.callTool({ name: 'ask_url' });
    expect(asked[0]).to.include({ mode: 'url', url: 'https://example.com/consent' });
    expect(asked[0]?.elicitationId).to.be.a('string').and.not.empty;
    const modern = await callRaw(fetch, 'tools/call', { name: 'ask_url' }, { elicitation: { url: {} } });
    expect(modern.result.inputRequests.answer.params).to.deep.equal({
      mode: 'url',
      message: 'Please open this page',
      url: 'https://example.com/consent',
    });
  });

  it('takes a refusal for an answer', async () => {
    for (const action of ['decline', 'cancel'] as const) {
      const { client, asked } = await legacy({ elicit: () => ({ action }) });
      expect(lineOf(await client.callTool({ name: 'ask_form' }))).to.equal(
        `Elicitation completed: action=${action}, content={}`,
      );
      expect(asked).to.have.lengthOf(1);
    }
  });
});
