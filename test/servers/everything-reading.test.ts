/** Resources, prompts and completions of `everything`. */
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'chai';
import createServer from '../../src/servers/everything/index.js';
import { callRaw, connectLegacy, fakeNode, serveModern } from './connect.js';

const connect = async () => (await connectLegacy(createServer(fakeNode('legacy').context))).client;

describe('everything: resources, prompts and completions', () => {
  it('lists readable resources first, and the template', async () => {
    const client = await connect();
    expect((await client.listResources()).resources.map(({ uri }) => uri)).to.deep.equal([
      'test://static-text',
      'test://static-binary',
      'test://watched-resource',
    ]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).to.deep.equal(['test://template/{id}/data']);
  });

  it('reads text, binary and a filled-in template', async () => {
    const client = await connect();
    expect((await client.readResource({ uri: 'test://static-text' })).contents).to.deep.equal([
      {
        uri: 'test://static-text',
        mimeType: 'text/plain',
        text: 'This is the content of the static text resource.',
      },
    ]);
    const [binary] = (await client.readResource({ uri: 'test://static-binary' })).contents;
    expect(binary).to.include({ uri: 'test://static-binary', mimeType: 'image/png' });
    expect(binary)
      .to.have.property('blob')
      .that.matches(/^iVBORw0KGgo/);
    const [filled] = (await client.readResource({ uri: 'test://template/123/data' })).contents;
    expect(filled).to.include({ uri: 'test://template/123/data' });
    expect(filled).to.have.property('text').that.includes('123');
  });

  it('answers an unknown URI with -32602 and the URI, in both eras', async () => {
    const uri = 'test://nonexistent-resource-for-conformance-testing';
    const client = await connect();
    const error = await client.readResource({ uri }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(McpError).with.property('code', -32602);
    const fetch = serveModern(() => createServer(fakeNode('modern').context));
    const modern = await callRaw(fetch, 'resources/read', { uri });
    expect(modern.error?.code).to.equal(-32602);
    expect(modern.error?.data).to.deep.equal({ uri });
  });

  it('agrees to subscribe and unsubscribe, and to set a level', async () => {
    const client = await connect();
    expect(await client.subscribeResource({ uri: 'test://watched-resource' })).to.deep.equal({});
    expect(await client.unsubscribeResource({ uri: 'test://watched-resource' })).to.deep.equal({});
    expect(await client.setLoggingLevel('info')).to.deep.equal({});
    expect(await client.ping()).to.deep.equal({});
  });

  it('has no such methods in the modern era', async () => {
    const fetch = serveModern(() => createServer(fakeNode('modern').context));
    for (const method of ['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel', 'ping']) {
      const answer = await callRaw(fetch, method, { uri: 'test://watched-resource', level: 'info' });
      expect([answer.status, answer.error?.code], method).to.deep.equal([404, ErrorCode.MethodNotFound]);
    }
  });

  it('lists its prompts with descriptions and arguments', async () => {
    const { prompts } = await (await connect()).listPrompts();
    expect(prompts.map(({ name }) => name)).to.deep.equal([
      'test_simple_prompt',
      'test_prompt_with_arguments',
      'test_prompt_with_embedded_resource',
      'test_prompt_with_image',
      'test_input_required_result_prompt',
    ]);
    for (const { name, description } of prompts) expect(description, name).to.be.a('string').and.not.empty;
    expect(prompts[1]?.arguments?.map(({ name, required }) => [name, required])).to.deep.equal([
      ['arg1', true],
      ['arg2', true],
    ]);
    expect(prompts[2]?.arguments?.map(({ name, required }) => [name, required])).to.deep.equal([['resourceUri', true]]);
  });

  it('gets every prompt as it is described', async () => {
    const client = await connect();
    const blocks = async (name: string, args?: Record<string, string>) => {
      const { messages } = await client.getPrompt({ name, ...(args && { arguments: args }) });
      expect(messages.map(({ role }) => role)).to.deep.equal(messages.map(() => 'user'));
      return messages.map(({ content }) => content);
    };
    expect(await blocks('test_simple_prompt')).to.deep.equal([
      { type: 'text', text: 'This is a simple prompt for testing.' },
    ]);
    expect(await blocks('test_prompt_with_arguments', { arg1: 'testValue1', arg2: 'testValue2' })).to.deep.equal([
      { type: 'text', text: "Prompt with arguments: arg1='testValue1', arg2='testValue2'" },
    ]);
    const embedded = await blocks('test_prompt_with_embedded_resource', { resourceUri: 'test://example-resource' });
    expect(embedded.map(({ type }) => type)).to.deep.equal(['resource', 'text']);
    expect(embedded[0]).to.have.nested.property('resource.uri', 'test://example-resource');
    const image = await blocks('test_prompt_with_image');
    expect(image.map(({ type }) => type)).to.deep.equal(['image', 'text']);
    expect(image[0]).to.include({ mimeType: 'image/png' });
  });

  it('completes the arguments of a prompt and of the template', async () => {
    const client = await connect();
    const prompt = await client.complete({
      ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'test' },
    });
    expect(prompt.completion.values).to.deep.equal(['testValue1', 'testValue2', 'testValue3']);
    const template = await client.complete({
      ref: { type: 'ref/resource', uri: 'test://template/{id}/data' },
      argument: { name: 'id', value: '12' },
    });
    expect(template.completion.values).to.deep.equal(['123', '124']);
  });
});
