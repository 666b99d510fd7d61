/** A server that is lent says nothing of its former caller to the one it serves now. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type NodeProcess, startNode } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';

for (const [kind, LATE_QUIET] of [
  ['a lent server', '0'],
  ['a lent server that is declared quiet', '1'],
] as const)
  describe(`what ${kind} says after its answer`, () => {
    let node: NodeProcess;
    before(async () => {
      const MCP_SERVER = fileURLToPath(new URL('./servers/late.mjs', import.meta.url));
      node = await startNode({ MCP_SERVER, LATE_QUIET, AUTH_TOKENS: 'ada:token-of-ada-5f1c,bob:token-of-bob-5f1c' });
    });
    after(() => node?.stop());

    it('does not reach the client that it serves by then', async () => {
      const open = (user: string) =>
        RawSession.open(
          { url: node.url, nodeUrls: [node.url] },
          { capabilities: { roots: {}, elicitation: {} }, headers: { Authorization: `Bearer token-of-${user}-5f1c` } },
        );
      const [ada, bob] = [await open('ada'), await open('bob')];
      await ada.callTool('late');
      const call = await bob.startTool('busy');
      await call.answer();
      const said = call.response.messages.filter(({ method }) => method !== undefined);
      expect(said.map(({ params }) => params.data)).to.deep.equal(['busy bob', 'done bob']);
    });
  });
