/** A tool whose list cannot be read is not free for all. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ask } from '../modern/modern-client.js';
import { AuthorizationServer, bearer } from '../support/authorization-server.js';
import { expectRpcError } from '../support/expectations.js';
import { request } from '../support/json-rpc.js';
import { type NodeProcess, startNode } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';

const PUBLIC_URL = 'http://mcp.example';

describe('the scopes of a tool', () => {
  let issuer: AuthorizationServer;
  let node: NodeProcess;
  before(async () => {
    issuer = await AuthorizationServer.start(`${PUBLIC_URL}/mcp`);
    const MCP_SERVER = fileURLToPath(new URL('./servers/listing.mjs', import.meta.url));
    node = await startNode({ MCP_SERVER, PUBLIC_URL, AUTH_ISSUER: issuer.issuer });
  });
  after(async () => {
    await node?.stop();
    await issuer?.stop();
  });

  const callBoth = async (way: string, scope: string) => {
    const target = { url: node.url, nodeUrls: [node.url] };
    const headers = bearer(await issuer.token({ scope, claims: { way } }));
    const session = await RawSession.open(target, { headers });
    const call = { name: way, arguments: {} };
    return Promise.all([
      session.post(request(7, 'tools/call', call)),
      ask(target, 'tools/call', call, { id: 7, headers }),
    ]);
  };

  for (const way of ['plain', 'second_page', 'filtered']) {
    it(`are found in a list that is ${way}`, async () => {
      for (const response of await callBoth(way, 'mcp')) await expectRpcError(response, 403, undefined, 7);
      for (const response of await callBoth(way, 'mcp files:write')) expect(response.status).to.equal(200);
    });
  }

  for (const way of ['failing', 'endless', 'hanging']) {
    it(`cannot be read out of a list that is ${way}: nobody is let through`, async () => {
      for (const response of await callBoth(way, 'mcp')) await expectRpcError(response, 500, undefined, 7);
    });
  }
});
