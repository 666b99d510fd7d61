/** What handlers see of a request, and what clients see of their faults: no other than with the SDK's own transport. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Fleet, startFleet } from '../support/fleet.js';
import { textOf } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { RawSseSession } from '../support/raw-sse-client.js';

describe('a handler of SDK 1.x', () => {
  let fleet: Fleet;
  before(async () => {
    const MCP_SERVER = fileURLToPath(new URL('../support/servers/seeing-v1.mjs', import.meta.url));
    fleet = await startFleet({ nodes: 1, env: { MCP_SERVER } });
  });
  after(() => fleet?.stop());

  it('sees headers and the whole address, over both transports', async () => {
    const host = new URL(fleet.url).host;
    const session = await RawSession.open(fleet);
    const seen = JSON.parse(textOf(await session.callTool('look')));
    expect(seen).to.deep.equal({ url: `http://${host}/mcp`, isUrl: true, host });
    const old = await RawSseSession.open(fleet);
    const seenThere = JSON.parse(textOf(await old.callTool('look')));
    expect(seenThere).to.deep.equal({ url: new URL(old.endpoint, fleet.url).href, isUrl: true, host });
    old.stream.close();
  });
});

describe('a resource that cannot be read', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ nodes: 1, env: { MCP_SERVER: 'everything' } });
  });
  after(() => fleet?.stop());

  it('is not found with -32002, and asked for wrongly with -32602 and the reason', async () => {
    const session = await RawSession.open(fleet);
    const missing = await session.request('resources/read', { uri: 'nowhere://at/all' });
    expect(missing.error?.code).to.equal(-32002);
    const invalid = await session.request('resources/read', { uri: 'no uri' });
    expect(invalid.error).to.deep.include({ code: -32602, data: { uri: 'no uri', reason: 'invalid_uri' } });
  });
});
