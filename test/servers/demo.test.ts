/** The demo server, as a newcomer's client meets it, in both eras. */
import { expect } from 'chai';
import createServer from '../../src/servers/demo.js';
import {
  connectLegacy,
  connectModern,
  connectV2Legacy,
  fakeNode,
  type LegacyClient,
  lineOf,
  serveModern,
} from './connect.js';

const connect = () => connectLegacy(createServer(fakeNode('legacy').context));
const call = async ({ client }: LegacyClient, name: string, args: Record<string, unknown> = {}) =>
  lineOf(await client.callTool({ name, arguments: args }));

describe('demo', () => {
  it('lists a handful of tools that say what they do, the first callable without arguments', async () => {
    const { client } = await connect();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).to.deep.equal([
      'echo',
      'whoami',
      'whereami',
      'note_add',
      'note_list',
      'long_job',
      'ask_name',
    ]);
    for (const { name, title, description } of tools) {
      expect(title, name).to.be.a('string').and.not.empty;
      expect(description, name).to.be.a('string').and.not.empty;
    }
    expect(lineOf(await client.callTool({ name: 'echo', arguments: {} }))).to.equal('hello');
  });

  it('promises to be repeatable for all tools but the one that adds a note', async () => {
    const { tools } = await (await connect()).client.listTools();
    const once = tools.filter(({ annotations }) => !annotations?.readOnlyHint && !annotations?.idempotentHint);
    expect(once.map(({ name }) => name)).to.deep.equal(['note_add']);
    expect(tools.some(({ annotations }) => annotations?.destructiveHint !== false)).to.equal(false);
  });

  it('says back, says where and says who, and keeps ids and tokens to itself', async () => {
    const anonymous = await connect();
    expect(await call(anonymous, 'echo', { text: 'hi' })).to.equal('hi');
    expect(await call(anonymous, 'whereami')).to.equal('node-7');
    expect(await call(anonymous, 'whoami')).to.equal('You are anonymous, using server-test.');

    const { context } = fakeNode('legacy', { token: 'secret-token', clientId: 'alice', scopes: [] });
    const alice = await connectLegacy(createServer(context));
    const answer = await call(alice, 'whoami');
    expect(answer).to.equal('You are alice, using server-test.');
    expect(answer).to.not.include('secret-token').and.not.include(context.sessionId);
  });

  it('keeps notes in the session, in order, also for a server built anew', async () => {
    const node = fakeNode('legacy');
    const first = await connectLegacy(createServer(node.context));
    expect(await call(first, 'note_list')).to.equal('No notes yet.');
    expect(await call(first, 'note_add', { text: 'buy bread' })).to.equal('Noted as number 1.');
    const second = await connectLegacy(createServer(node.context));
    expect(await call(second, 'note_add', { text: 'call home' })).to.equal('Noted as number 2.');
    expect(await call(first, 'note_list')).to.equal('1. buy bread\n2. call home');
  });

  it('loses no note when two are added at the same time', async () => {
    const node = fakeNode('legacy');
    const clients = await Promise.all([1, 2].map(() => connectLegacy(createServer(node.context))));
    await Promise.all(clients.map((client, index) => call(client, 'note_add', { text: `from ${index}` })));
    const [first] = clients;
    const notes = first && (await call(first, 'note_list'));
    expect(notes?.split('\n').map((line) => line.slice(3))).to.have.members(['from 0', 'from 1']);
  });

  it('skips a note whose node died between number and note, and stops at a hundred', async () => {
    const node = fakeNode('legacy');
    node.state.set('notes', 2).set('note:2', 'kept');
    const client = await connectLegacy(createServer(node.context));
    expect(await call(client, 'note_list')).to.equal('2. kept');
    node.state.set('notes', 100);
    const full = await client.client.callTool({ name: 'note_add', arguments: { text: 'one more' } });
    expect([full.isError, lineOf(full)]).to.deep.equal([true, 'The notebook is full: it holds 100 notes.']);
    expect(await call(client, 'note_list')).to.equal('2. kept');
  });

  it('says honestly that there is no notebook where there is no session', async () => {
    const client = await connectModern(serveModern(() => createServer(fakeNode('modern').context)));
    for (const [name, args] of [
      ['note_add', { text: 'lost' }],
      ['note_list', {}],
    ] as const) {
      const result = await client.callTool({ name, arguments: args });
      expect(result.isError, name).to.equal(true);
      expect(lineOf(result), name).to.match(/no session/);
    }
    await client.close();
  });

  it('reports every step of a long job, with a log line for each', async () => {
    const { client, logged } = await connect();
    const seen: unknown[] = [];
    const result = await client.callTool({ name: 'long_job', arguments: { steps: 2, ms: 2 } }, undefined, {
      onprogress: (progress) => void seen.push(progress),
    });
    expect(lineOf(result)).to.equal('Done: 2 steps in about 2 ms.');
    expect(seen).to.deep.equal([
      { progress: 1, total: 2, message: 'long job: step 1 of 2' },
      { progress: 2, total: 2, message: 'long job: step 2 of 2' },
    ]);
    expect(logged).to.deep.equal(['long job: step 1 of 2', 'long job: step 2 of 2']);
  });

  it('refuses a job of more steps or time than it has', async () => {
    const { client } = await connect();
    for (const args of [{ steps: 0 }, { steps: 1001 }, { ms: 600_001 }, { steps: 1.5 }]) {
      const result = await client.callTool({ name: 'long_job', arguments: args });
      expect(result.isError, JSON.stringify(args)).to.equal(true);
    }
  });

  it('asks for a name in the middle of a call, in both eras, and takes no for an answer', async () => {
    for (const [answer, line] of [
      [{ action: 'accept', content: { name: 'Ada' } }, 'Nice to meet you, Ada!'],
      [{ action: 'decline' }, 'As you like: no name, then.'],
    ] as const) {
      const elicit = () => answer;
      const legacy = await connectLegacy(createServer(fakeNode('legacy').context), { elicit });
      expect(await call(legacy, 'ask_name'), 'legacy').to.equal(line);
      const fetch = serveModern(() => createServer(fakeNode('modern').context));
      const modern = await connectModern(fetch, { elicit });
      expect(lineOf(await modern.callTool({ name: 'ask_name' })), 'modern').to.equal(line);
      await modern.close();
    }
  });

  it('has a page to read, a prompt to use, and completes its argument', async () => {
    const client = await connectV2Legacy(createServer(fakeNode('legacy').context));
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).to.deep.equal(['demo://welcome']);
    const [page] = (await client.readResource({ uri: 'demo://welcome' })).contents;
    expect(page).to.have.property('text').that.includes('node-7');
    const { messages } = await client.getPrompt({ name: 'tour', arguments: { audience: 'an operator' } });
    expect(messages).to.have.lengthOf(1);
    expect(messages[0]?.content)
      .to.have.property('text')
      .that.matches(/^Give an operator a short tour/);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'tour' },
      argument: { name: 'audience', value: 'a' },
    });
    expect(completion.values).to.deep.equal(['a newcomer', 'an operator', 'a developer']);
    await client.close();
  });
});
