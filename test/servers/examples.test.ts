/**
 * The examples, driven by real clients, so that none of them can rot. The server modules are called directly: what a node
 * adds is not in play. The express app is run as its reader would run it, and needs the build.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect } from 'chai';
import type { ServerFactory } from '../../src/index.js';
import { type Answers, connectLegacy, fakeNode, lineOf } from './connect.js';

async function factoryOf(file: string): Promise<ServerFactory> {
  const module: { default: ServerFactory } = await import(new URL(`../../examples/${file}`, import.meta.url).href);
  return module.default;
}

async function connect(file: string, answers?: Answers) {
  const factory = await factoryOf(file);
  const node = fakeNode('legacy');
  return { ...(await connectLegacy(await factory(node.context), answers)), node };
}

describe('examples', () => {
  it('v1-server.mjs reads a price, and asks before it bakes', async () => {
    const { client, logged } = await connect('v1-server.mjs', {
      elicit: () => ({ action: 'accept', content: { words: 'Happy birthday' } }),
    });
    expect(lineOf(await client.callTool({ name: 'price', arguments: {} }))).to.equal('2.40');
    expect(lineOf(await client.callTool({ name: 'order' }))).to.equal('One cake, saying "Happy birthday".');
    expect(logged).to.deep.equal(['baking']);
  });

  it('v1-server.mjs takes no for an answer', async () => {
    const { client } = await connect('v1-server.mjs', { elicit: () => ({ action: 'decline' }) });
    expect(lineOf(await client.callTool({ name: 'order' }))).to.equal('No cake, then.');
  });

  it('v1-server.cjs greets, and knows its node', async () => {
    const { client } = await connect('v1-server.cjs');
    expect(lineOf(await client.callTool({ name: 'greet', arguments: {} }))).to.equal(
      'Hello, stranger! This is node-7.',
    );
    const [sign] = (await client.readResource({ uri: 'sign://here' })).contents;
    expect(sign).to.include({ text: 'You are at node-7.' });
  });

  it('v2-server.mjs counts in the session, tells the fleet, and asks to play again', async () => {
    const { client, node } = await connect('v2-server.mjs', {
      elicit: () => ({ action: 'accept', content: { again: true } }),
    });
    const guess = async (number: number) => lineOf(await client.callTool({ name: 'guess', arguments: { number } }));
    expect(await guess(5)).to.equal('No. 1 tries so far; node-7 counted.');
    expect(await guess(7)).to.equal('Then guess!');
    expect(node.announced).to.deep.equal(['updated guess://score']);
    const [score] = (await client.readResource({ uri: 'guess://score' })).contents;
    expect(score).to.include({ text: 'tries: 2' });
  });

  it('v2-server.mjs asks once, whatever the user says', async () => {
    for (const action of ['decline', 'cancel'] as const) {
      const { client, asked, node } = await connect('v2-server.mjs', { elicit: () => ({ action }) });
      const result = await client.callTool({ name: 'guess', arguments: { number: 7 } });
      expect(lineOf(result)).to.equal('Thank you for playing.');
      expect([asked.length, node.state.get('tries')]).to.deep.equal([1, 1]);
    }
  });

  describe('express-app.mjs', () => {
    let app: ChildProcess | undefined;
    afterEach(() => app?.kill('SIGKILL'));

    it('serves its own page and the sessions of its node, and ends in order', async () => {
      const { REDIS_URL: _unused, ...env } = process.env;
      const file = fileURLToPath(new URL('../../examples/express-app.mjs', import.meta.url));
      app = spawn(process.execPath, [file], { env: { ...env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] });
      const { stdout } = app;
      if (!stdout) throw new Error('the child has no stdout');
      const lines = createInterface({ input: stdout });
      const [address]: string[] = await Promise.race([
        once(lines, 'line'),
        once(app, 'exit').then(([code]) => expect.fail(`it ended with ${code}`)),
      ]);
      expect(address).to.match(/^http:\/\/127\.0\.0\.1:\d+\/$/);

      expect(await (await fetch(address ?? '')).text()).to.match(/^A shop, and its MCP server at \/mcp/);
      const client = new Client({ name: 'example-test', version: '1.0.0' });
      await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', address)));
      const guess = { name: 'guess', arguments: { number: 1 } };
      expect(lineOf(await client.callTool(guess))).to.match(/^No\. 1 tries so far;/);
      expect(lineOf(await client.callTool(guess))).to.match(/^No\. 2 tries so far;/);
      expect(await client.subscribeResource({ uri: 'guess://score' })).to.deep.equal({});

      app.kill('SIGTERM');
      expect((await once(app, 'exit'))[0]).to.equal(0);
      await client.close();
    });
  });
});
