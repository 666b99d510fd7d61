/**
 * What a module of SDK 2.x says that its tools, resources and prompts need (`scopeChallenge`) holds for every client, of
 * whatever revision and transport: the older handshake is no way around it.
 */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ask } from '../modern/modern-client.js';
import { AuthorizationServer, bearer } from '../support/authorization-server.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, notification, request } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { RawSseSession } from '../support/raw-sse-client.js';

const MCP_SERVER = fileURLToPath(new URL('./servers/challenging.mjs', import.meta.url));
const PUBLIC_URL = 'http://mcp.example';
const METADATA = `${PUBLIC_URL}/.well-known/oauth-protected-resource/mcp`;

type Asked = [method: string, params: Readonly<Record<string, unknown>>];

const call = (name: string): Asked => ['tools/call', { name, arguments: {} }];
/** What needs `files:write`, by whichever way it was registered. */
const GUARDED: Record<string, Asked> = {
  'a tool': call('write'),
  'a tool that asks before it says': call('asks_around'),
  'a resource': ['resources/read', { uri: 'secret:///one' }],
  'a resource of a template': ['resources/read', { uri: 'secret:///any/two' }],
  'a prompt': ['prompts/get', { name: 'words' }],
};

for (const LENT of ['false', 'true']) {
  describe(`the scope challenges of a module whose servers are ${LENT === 'true' ? 'lent' : 'its requests’ own'}`, () => {
    let issuer: AuthorizationServer;
    let fleet: Fleet;
    before(async () => {
      issuer = await AuthorizationServer.start(`${PUBLIC_URL}/mcp`);
      const tokens = { AUTH_TOKENS: 'bob:a-token-of-the-configuration' };
      fleet = await startFleet({
        nodes: 2,
        env: { MCP_SERVER, LENT, PUBLIC_URL, AUTH_ISSUER: issuer.issuer, ...tokens },
      });
    });
    after(async () => {
      await fleet?.stop();
      await issuer?.stop();
    });

    const headersOf = async (scope: string) => bearer(await issuer.token({ scope }));

    for (const [what, [method, params]] of Object.entries(GUARDED)) {
      it(`keep ${what} from tokens that lack a scope, in both eras, and name it`, async () => {
        const reader = await headersOf('mcp files:read');
        const writer = await headersOf('mcp files:write');
        const session = await RawSession.open(fleet, { headers: reader });
        const good = await RawSession.open(fleet, { headers: writer });
        for (const node of [0, 1]) {
          const refused = await session.post(request(7, method, params), { node });
          await expectRpcError(refused, 403, -32000, 7);
          expect(refused.headers['www-authenticate'])
            .to.match(/^Bearer error="insufficient_scope"/)
            .and.contain('scope="files:write"')
            .and.contain(`resource_metadata="${METADATA}"`);
          const served = await good.post(request(7, method, params), { node });
          expect(JSON.parse(await served.text())).to.have.property('result');
          expect((await ask(fleet, method, params, { id: 7, headers: reader, node })).status).to.equal(403);
          expect((await ask(fleet, method, params, { id: 7, headers: writer, node })).status).to.equal(200);
        }
        expect((await session.post(request(8, ...call('free')))).status, 'the session stays').to.equal(200);
      });
    }

    it('are told over HTTP+SSE as errors on the stream', async () => {
      const hop = { headers: await headersOf('mcp') };
      const session = await RawSseSession.connect(fleet, hop);
      await session.post(initialize('2024-11-05'), hop);
      await session.answerTo('init');
      await session.post(notification('notifications/initialized'), hop);
      for (const [method, params] of Object.values(GUARDED)) {
        const { error, result } = await session.request(method, params, hop);
        expect(result).to.equal(undefined);
        expect(error?.message).to.match(/^Forbidden/);
        expect(error?.data).to.deep.equal({ scopes: ['files:write'] });
      }
      expect(await session.request(...call('free'), hop)).to.have.property('result');
      session.stream.close();
    });

    it('refuse a batch as a whole', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp'), revision: '2025-03-26' });
      const both = [request(1, ...call('free')), request(2, ...call('write'))];
      await expectRpcError(await session.post(both), 403, -32000);
    });

    it('can say why', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp') });
      const refused = await session.post(request(7, ...call('explains')));
      expect(refused.status).to.equal(403);
      expect(refused.headers['www-authenticate']).to.contain('error_description="closed on Sundays"');
    });

    it('let nobody through where they fail, or mean nothing', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp files:write') });
      for (const name of ['breaks', 'mistaken']) {
        const answer = JSON.parse(await (await session.post(request(7, ...call(name)))).text());
        expect(answer).to.not.have.property('result');
        expect(answer).to.deep.include({ id: 7 });
      }
    });

    it('hold for tokens of the configuration, which carry no scopes', async () => {
      const headers = bearer('a-token-of-the-configuration');
      const session = await RawSession.open(fleet, { headers });
      await expectRpcError(await session.post(request(7, ...call('write'))), 403, -32000, 7);
      expect((await ask(fleet, ...call('write'), { headers })).status).to.equal(403);
      expect((await session.post(request(8, ...call('free')))).status).to.equal(200);
    });
  });
}
