/** An answer that cannot be written is an error to its client, in both eras, and no call without an end. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { answer } from '../modern/modern-client.js';
import { within } from '../support/eventually.js';
import { type NodeProcess, startNode } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';

describe('an answer that cannot be written as JSON', () => {
  let node: NodeProcess;
  before(async () => {
    node = await startNode({ MCP_SERVER: fileURLToPath(new URL('./servers/unwritable.mjs', import.meta.url)) });
  });
  after(() => node?.stop());

  for (const [method, params] of [
    ...['circle', 'bigint', 'throwing'].flatMap((name) => [
      ['tools/call', { name, arguments: {} }] as const,
      ['tools/call', { name: `${name}_said`, arguments: {} }] as const,
    ]),
    ['prompts/get', { name: 'bigint' }] as const,
    ['resources/read', { uri: 'odd://circle' }] as const,
  ]) {
    it(`is told as an error: ${method} ${JSON.stringify(params)}`, async () => {
      const target = { url: node.url, nodeUrls: [node.url] };
      const session = await RawSession.open(target);
      for (const ask of [() => session.request(method, params), () => answer(target, method, params)]) {
        const { error } = await within(ask(), 'an answer', 5000);
        expect(error?.code).to.equal(-32603);
      }
    });
  }
});
