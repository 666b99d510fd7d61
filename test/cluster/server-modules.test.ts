/** Servers as their authors write them, on both SDK lines and in both module formats, with every client that fits. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ALL_CLIENTS, type AnyClient, type Handlers, LEGACY_CLIENTS, v1Streamable } from '../support/clients.js';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { runToExit } from '../support/node-process.js';

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

/** A fleet of two for the module, started once for the tests within. */
function withFleet(module: string, tests: (fleet: () => Fleet) => void): void {
  describe(`the module ${module}`, () => {
    let fleet: Fleet;
    before(async () => {
      fleet = await startFleet({ nodes: 2, env: { MCP_SERVER: example(module) } });
    });
    after(() => fleet?.stop());
    tests(() => fleet);
  });
}

async function withClient(
  { connect }: (typeof ALL_CLIENTS)[number],
  fleet: Fleet,
  handlers: Handlers,
  use: (client: AnyClient) => Promise<void>,
): Promise<void> {
  const client = await connect(fleet.url, handlers);
  await use(client).finally(() => client.close());
}

const accepting = (content: Record<string, string>): Handlers => ({
  elicit: async () => ({ action: 'accept', content }),
});

withFleet('v1-server.mjs', (fleet) => {
  for (const kind of ALL_CLIENTS) {
    // An SDK 1.x server has no modern era: the client that would prefer it finds that out and works as before.
    it(`serves the ${kind.label}, which is asked on one node and answers to the other`, () =>
      withClient(kind, fleet(), accepting({ words: 'Hi' }), async (client) => {
        expect(await client.listTools()).to.have.members(['price', 'order']);
        for (const [item, price] of [
          ['bread', '2.40'],
          ['cake', '18.00'],
        ] as const) {
          expect((await client.callTool('price', { item })).text).to.equal(price);
        }
        for (let i = 0; i < 3; i++) expect((await client.callTool('order')).text).to.include('"Hi"');
        await eventually(() => client.notices.filter(({ params }) => params?.data === 'baking').length === 3);
        expect(client.sessionId === undefined).to.equal(kind.label.includes('HTTP+SSE'));
      }));
  }

  it('ends a call whose user said no', () =>
    withClient(v1Streamable, fleet(), { elicit: async () => ({ action: 'cancel' }) }, async (client) => {
      expect((await client.callTool('order')).text).to.equal('No cake, then.');
    }));
});

withFleet('v2-server.mjs', (fleet) => {
  for (const kind of ALL_CLIENTS) {
    it(`serves the ${kind.label} from the same code`, () =>
      withClient(kind, fleet(), accepting({}), async (client) => {
        const first = await client.callTool('guess', { number: 1 });
        const second = await client.callTool('guess', { number: 2 });
        const counters = [first, second].map(({ text }) => text.match(/; (\S+) counted/)?.[1]);
        expect(counters.sort()).to.deep.equal(
          fleet()
            .nodes.map(({ nodeId }) => nodeId)
            .sort(),
        );
        expect(second.text).to.include(kind.era === 'legacy' ? '2 tries' : 'some tries');
        expect((await client.callTool('guess', { number: 7 })).text).to.equal('Thank you for playing.');
      }));
  }

  for (const kind of LEGACY_CLIENTS) {
    it(`tells the ${kind.label} of a resource that somebody else changed`, () =>
      withClient(kind, fleet(), {}, (watcher) =>
        withClient(v1Streamable, fleet(), accepting({}), async (player) => {
          await watcher.subscribe('guess://score');
          await player.callTool('guess', { number: 7 });
          await eventually(() => watcher.notices.some(({ params }) => params?.uri === 'guess://score'));
        }),
      ));
  }
});

withFleet('v1-server.cjs', (fleet) => {
  it('is built on both nodes, each with what it is given there', () =>
    withClient(v1Streamable, fleet(), {}, async (client) => {
      const greetings: string[] = [];
      for (let i = 0; i < 2; i++) greetings.push((await client.callTool('greet', { greeting: 'Hi' })).text);
      const expected = fleet().nodes.map(({ nodeId }) => `Hi, stranger! This is ${nodeId}.`);
      expect(greetings.sort()).to.deep.equal(expected.sort());
    }));
});

describe('a module that is no server', () => {
  for (const [what, MCP_SERVER] of [
    ['that does not exist', example('no-such-server.mjs')],
    [
      'whose default export is no factory',
      fileURLToPath(new URL('../support/servers/probe-tools.mjs', import.meta.url)),
    ],
  ]) {
    it(`${what} keeps the node from listening: exit code 78, and the module named`, async () => {
      const { code, raw, log } = await runToExit({ MCP_SERVER: MCP_SERVER ?? '' });
      expect(code, raw.join('\n')).to.equal(78);
      expect(raw.join('\n')).to.include(MCP_SERVER);
      expect(log.some(({ msg }) => msg === 'listening')).to.equal(false);
    });
  }
});
