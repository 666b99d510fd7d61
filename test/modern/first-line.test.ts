/** A server of the first SDK line, which has no modern era: who would like it finds the other one. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { notification, request } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { eraOf } from './clients-together.js';
import { ask, MODERN, post } from './modern-client.js';

const MCP_SERVER = fileURLToPath(new URL('../support/servers/probe-v1.mjs', import.meta.url));
/** By these a client knows a server of the modern era, and would not try the other one. */
const MODERN_CODES = [-32020, -32021, -32022];

describe('a server of the first SDK line', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ nodes: 1, env: { MCP_SERVER } });
  });
  after(() => fleet?.stop());

  it('is served to the client that prefers the modern era, in the legacy one', async () => {
    expect(await eraOf(fleet.url, 'auto')).to.equal('legacy 2025-11-25');
    expect(await eraOf(fleet.url)).to.equal('legacy 2025-11-25');
  });

  it('refuses what is modern with 400, by a code that the modern era does not have', async () => {
    const headers = { 'MCP-Protocol-Version': MODERN };
    for (const response of [
      await ask(fleet, 'server/discover', {}, { id: 'd' }),
      await ask(fleet, 'tools/list', {}, { id: 'd' }),
      await ask(fleet, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { id: 'd' }),
      await post(fleet, request('d', 'tools/list'), { headers }),
    ]) {
      const { error } = await expectRpcError(response, 400, undefined, 'd');
      expect(error?.code).to.not.be.oneOf(MODERN_CODES);
      expect(error?.message, 'names what can be had instead').to.include('2025-11-25');
    }
  });

  it('keeps its sessions apart from it all the same', async () => {
    const session = await RawSession.open(fleet);
    const headers = { 'MCP-Protocol-Version': MODERN, 'Mcp-Session-Id': session.id };
    const stray = await post(fleet, notification('notifications/cancelled', { requestId: 1 }), { headers });
    expect(stray.status).to.be.oneOf([202, 400]);
    const answer = await post(fleet, { jsonrpc: '2.0', id: 1, result: {} }, { headers });
    await expectRpcError(answer, 400, -32600);
    expect(await session.status()).to.equal(200);
  });
});
