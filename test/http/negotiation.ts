/** The handshake: which revision is agreed on, and that a session comes out of it once. */
import { expect } from 'chai';
import { expectRpcError, UUID } from '../support/expectations.js';
import { initialize, NEWEST_REVISION, REVISIONS, request } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import type { HttpSuite } from './target.js';

const REFUSED_REVISIONS = ['1.0.0', '2019-01-01', '2026-07-28', '', '2025-11-26'];

export const negotiation: HttpSuite = (target) => {
  for (const revision of REVISIONS) {
    it(`agrees on ${revision} when asked for it, and names itself and its capabilities`, async () => {
      const session = await RawSession.open(target(), { revision });
      expect(session.id).to.match(UUID);
      const { result } = session.handshake;
      expect(result.protocolVersion).to.equal(revision);
      expect(result.serverInfo.name).to.be.a('string').and.not.empty;
      expect(result.serverInfo.version).to.be.a('string').and.not.empty;
      expect(result.capabilities).to.include.keys('tools', 'resources', 'prompts', 'logging', 'completions');
      expect(result.capabilities.resources.subscribe).to.equal(true);
    });
  }

  for (const revision of REFUSED_REVISIONS) {
    it(`offers ${NEWEST_REVISION} to a handshake that asks for "${revision}"`, async () => {
      const session = await RawSession.open(target(), { revision });
      expect(session.revision).to.equal(NEWEST_REVISION);
      const list = await session.request('tools/list');
      expect(list.result.tools).to.be.an('array').and.not.empty;
    });
  }

  it('keeps the shape of legacy results free of what only the modern era has', async () => {
    const session = await RawSession.open(target());
    const { result } = await session.request('tools/list');
    expect(result).to.not.have.any.keys('resultType', 'ttlMs', 'cacheScope');
    expect(session.handshake.result).to.not.have.any.keys('resultType', 'ttlMs', 'cacheScope', 'supportedVersions');
  });

  it('refuses a second initialize within a session and leaves the session as it was', async () => {
    const session = await RawSession.open(target(), { revision: '2025-06-18' });
    const again = await session.post(initialize(NEWEST_REVISION, { sampling: {} }, 2));
    await expectRpcError(again, 400, -32600, 2);
    expect(again.headers['mcp-session-id']).to.not.be.a('string');
    expect(await session.status()).to.equal(200);
  });

  it('opens a session of its own for each initialize', async () => {
    const sessions = await Promise.all(Array.from({ length: 12 }, () => RawSession.open(target())));
    expect(new Set(sessions.map(({ id }) => id)).size).to.equal(12);
  });

  it('gives no session to an initialize that cannot be served', async () => {
    for (const params of [
      undefined,
      {},
      { protocolVersion: 7, capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    ]) {
      const response = await postMcp(target(), request(1, 'initialize', params));
      const body = await response.json();
      expect(response.headers, JSON.stringify(body)).to.not.have.property('mcp-session-id');
      expect(body.error?.code, JSON.stringify(body)).to.be.oneOf([-32600, -32602]);
      expect(response.status).to.be.oneOf([200, 400]);
    }
  });

  it('answers requests that overtake notifications/initialized', async () => {
    const session = await RawSession.open(target(), { initialized: false });
    const [ping, list] = await Promise.all([session.request('ping'), session.request('tools/list')]);
    expect(ping.result).to.deep.equal({});
    expect(list.result ?? list.error).to.be.an('object');
  });
};
