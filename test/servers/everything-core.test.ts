/** The fixtures that all revisions share, as the 1.x client sees them; compared with what FIXTURES of the suite name. */
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'chai';
import createServer from '../../src/servers/everything/index.js';
import { callRaw, connectLegacy, connectV2Legacy, fakeNode, lineOf, serveModern } from './connect.js';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const connect = async () => (await connectLegacy(createServer(fakeNode('legacy').context))).client;

describe('everything: core fixtures', () => {
  it('declares every capability a client may look for', async () => {
    const client = await connect();
    expect(client.getServerCapabilities()).to.deep.equal({
      logging: {},
      completions: {},
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
    });
  });

  it('lists its tools with descriptions, annotations and object schemas, always in the same order', async () => {
    const client = await connect();
    const { tools } = await client.listTools();
    for (const tool of tools) {
      expect(tool.name).to.match(/^[A-Za-z0-9_.-]{1,128}$/);
      expect(tool.description, tool.name).to.be.a('string').and.not.empty;
      expect(tool.inputSchema.type, tool.name).to.equal('object');
      expect(tool.annotations?.readOnlyHint, tool.name).to.be.a('boolean');
      expect(tool.annotations?.idempotentHint, tool.name).to.be.a('boolean');
    }
    const names = tools.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    expect((await client.listTools()).tools.map(({ name }) => name)).to.deep.equal(names);
  });

  it('promises to be repeatable for all tools but those that count', async () => {
    const { tools } = await (await connect()).listTools();
    const once = tools.filter(({ annotations }) => !annotations?.readOnlyHint && !annotations?.idempotentHint);
    expect(once.map(({ name }) => name)).to.deep.equal(['count', 'slow_count']);
  });

  it('has a first tool that succeeds without arguments', async () => {
    const client = await connect();
    const [first] = (await client.listTools()).tools;
    const result = await client.callTool({ name: first?.name ?? '', arguments: {} });
    expect(result.isError).to.not.equal(true);
  });

  it('answers test_simple_text, with and without arguments', async () => {
    const client = await connect();
    const content = [{ type: 'text', text: 'This is a simple text response for testing.' }];
    expect((await client.callTool({ name: 'test_simple_text', arguments: {} })).content).to.deep.equal(content);
    expect((await client.callTool({ name: 'test_simple_text' })).content).to.deep.equal(content);
  });

  it('answers with a picture and with a sound', async () => {
    const client = await connect();
    const image = (await client.callTool({ name: 'test_image_content' })) as { content: { data: string }[] };
    expect(image.content).to.deep.equal([{ type: 'image', data: image.content[0]?.data, mimeType: 'image/png' }]);
    expect(image.content[0]?.data).to.match(BASE64);
    const audio = (await client.callTool({ name: 'test_audio_content' })) as { content: { data: string }[] };
    expect(audio.content).to.deep.equal([{ type: 'audio', data: audio.content[0]?.data, mimeType: 'audio/wav' }]);
    expect(audio.content[0]?.data).to.match(BASE64);
  });

  it('answers with an embedded resource, alone and among others', async () => {
    const client = await connect();
    expect((await client.callTool({ name: 'test_embedded_resource' })).content).to.deep.equal([
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ]);
    const mixed = (await client.callTool({ name: 'test_multiple_content_types' })) as { content: { type: string }[] };
    expect(mixed.content.map(({ type }) => type)).to.deep.equal(['text', 'image', 'resource']);
    expect(mixed.content[2]).to.have.nested.property('resource.uri', 'test://mixed-content-resource');
    expect(mixed.content[2]).to.have.nested.property('resource.mimeType', 'application/json');
  });

  it('reports failures of a tool as results, and says nothing of its insides', async () => {
    const client = await connect();
    for (const name of ['test_error_handling', 'fail_tool', 'crash_tool']) {
      const result = await client.callTool({ name });
      expect(result.isError, name).to.equal(true);
      expect(lineOf(result), name)
        .to.be.a('string')
        .and.not.match(/\bat \/|node_modules|\.ts:/);
    }
  });

  it('answers struct_obj twice: as structured content and as the same in text', async () => {
    const client = await connect();
    await client.listTools();
    const result = await client.callTool({ name: 'struct_obj' });
    expect(result.structuredContent).to.deep.equal({ city: 'Lisbon', celsius: 21.5, sunny: true });
    expect(JSON.parse(lineOf(result) ?? '')).to.deep.equal(result.structuredContent);
  });

  it('answers an unknown tool with -32602', async () => {
    const client = await connect();
    const error = await client.callTool({ name: 'no_such_tool' }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(McpError).with.property('code', -32602);
  });

  it('refuses arguments of more elements than it means to walk through', async () => {
    const client = await connect();
    const result = await client.callTool({ name: 'echo', arguments: { text: 'x', more: new Array(1001).fill(0) } });
    expect(result.isError).to.equal(true);
    expect(lineOf(result)).to.match(/more than the maximum of 1000 elements/);
  });

  it('lets the raw 2020-12 schema through untouched, and goes by it', async () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    };
    const client = await connect();
    const legacy = (await client.listTools()).tools.find(({ name }) => name === 'json_schema_2020_12_tool');
    expect(legacy?.inputSchema).to.deep.equal(schema);
    const modern = await callRaw(
      serveModern(() => createServer(fakeNode('modern').context)),
      'tools/list',
      {},
    );
    const listed: { name: string; inputSchema: unknown }[] = modern.result.tools;
    expect(listed.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema).to.deep.equal(schema);

    const name = 'json_schema_2020_12_tool';
    const good = { contactMethod: 'phone', phone: '1', address: { city: 'Lisbon' } };
    expect((await client.callTool({ name, arguments: good })).isError).to.not.equal(true);
    expect((await client.callTool({ name, arguments: { contactMethod: 'phone', email: 'a@b' } })).isError).to.equal(
      true,
    );
  });

  it('serves the 2.x client in the legacy era as well', async () => {
    const client = await connectV2Legacy(createServer(fakeNode('legacy').context));
    expect(lineOf(await client.callTool({ name: 'echo', arguments: { text: 'over v2' } }))).to.equal('over v2');
    await client.close();
  });
});
