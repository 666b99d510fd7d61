/**
 * What a module of SDK 2.x says that its tools, resources and prompts need (`scopeChallenge`) holds for every client, of
 * whatever revision and transport: the older handshake is no way around it.
 */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ask } from '../modern/modern-client.js';
import { AuthorizationServer, bearer } from '../support/authorization-server.js';
import { eventually } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, notification, request, textOf } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { RawSseSession } from '../support/raw-sse-client.js';
import { type OwnCopy, withOwnCopy } from './servers/own-copy.js';

const MODULE = fileURLToPath(new URL('./servers/challenging.mjs', import.meta.url));
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
  'a tool whose guard asks who the caller is': call('knows_the_caller'),
  'a prompt': ['prompts/get', { name: 'words' }],
};

const KINDS: Record<string, { readonly LENT?: string; readonly ownCopy?: boolean }> = {
  'whose servers are its requests’ own': {},
  'whose servers are lent': { LENT: 'true' },
  'that has a copy of the SDK to itself': { ownCopy: true },
};

for (const [kind, { LENT = 'false', ownCopy = false }] of Object.entries(KINDS)) {
  describe(`the scope challenges of a module ${kind}`, () => {
    let issuer: AuthorizationServer;
    let fleet: Fleet;
    let copy: OwnCopy | undefined;
    before(async () => {
      issuer = await AuthorizationServer.start(`${PUBLIC_URL}/mcp`);
      copy = ownCopy ? await withOwnCopy(MODULE) : undefined;
      const env = {
        MCP_SERVER: copy?.path ?? MODULE,
        LENT,
        PUBLIC_URL,
        AUTH_ISSUER: issuer.issuer,
        AUTH_SCOPES: 'mcp',
        AUTH_TOKENS: 'bob:a-token-of-the-configuration',
      };
      fleet = await startFleet({ nodes: 2, env });
    });
    after(async () => {
      await fleet?.stop();
      await issuer?.stop();
      await copy?.remove();
    });

    const headersOf = async (scope: string) => bearer(await issuer.token({ scope }));

    for (const [what, [method, params]] of Object.entries(GUARDED)) {
      it(`keep ${what} from tokens that lack a scope, in both eras, and name it`, async () => {
        const reader = await headersOf('mcp files:read');
        const writer = await headersOf('mcp files:write');
        const session = await RawSession.open(fleet, { headers: reader });
        const good = await RawSession.open(fleet, { headers: writer });
        for (const node of [0, 1]) {
          for (const refused of [
            await session.post(request(7, method, params), { node }),
            await ask(fleet, method, params, { id: 7, headers: reader, node }),
          ]) {
            await expectRpcError(refused, 403, -32000, 7);
            expect(refused.headers['www-authenticate'])
              .to.match(/^Bearer error="insufficient_scope"/)
              .and.contain('scope="mcp files:write"')
              .and.contain(`resource_metadata="${METADATA}"`);
          }
          const served = await good.post(request(7, method, params), { node });
          expect(JSON.parse(await served.text())).to.have.property('result');
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
      const lines = () =>
        fleet.nodes.flatMap(({ log }) => log.filter(({ audit, reason }) => audit === 'refused' && reason === 'scope'));
      await eventually(() => lines().length > 0);
    });

    it('refuse all requests of a batch, and name what all of them need', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp'), revision: '2025-03-26' });
      const all = ['free', 'write', 'explains'].map((name, i) => request(i, ...call(name)));
      const refused = await session.post(all);
      await expectRpcError(refused, 403, -32000);
      expect(refused.headers['www-authenticate']).to.contain('scope="mcp files:write never"');
    });

    it('come on the stream where they come late, and let through who may', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp') });
      const late = await session.post(request(7, ...call('ponders')));
      expect(late.status).to.equal(200);
      expect((await late.waitFor(({ id }) => id === 7, 'the refusal')).error?.message).to.match(/^Forbidden/);
      const good = await RawSession.open(fleet, { headers: await headersOf('mcp files:write') });
      expect(textOf(await good.callTool('ponders'))).to.equal('ponders done');
    });

    it('leave nobody without an end: who cancels, nor whom the server leaves', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp'), node: 0 });
      const pondered = await session.post(request('long', ...call('ponders_for_ever')));
      await session.post(notification('notifications/cancelled', { requestId: 'long' }), { node: 1 });
      expect(await pondered.untilEnd(), 'ended in order').to.equal(true);
      expect(pondered.events.some(({ data }) => data)).to.equal(false);
      for (const name of ['leaves', 'leaves_at_once']) {
        const left = await session.callTool(name);
        expect(left.error?.message).to.match(/closed before it answered/);
      }
    });

    it('can say why', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp') });
      for (const refused of [
        await session.post(request(7, ...call('explains'))),
        await ask(fleet, ...call('explains'), { id: 7, headers: await headersOf('mcp') }),
      ]) {
        await expectRpcError(refused, 403, -32000, 7);
        expect(refused.headers['www-authenticate'])
          .to.contain('scope="mcp never"')
          .and.contain('error_description="closed on Sundays, scope="');
      }
    });

    it('let nobody through where they fail, or mean nothing', async () => {
      const session = await RawSession.open(fleet, { headers: await headersOf('mcp files:write') });
      for (const name of ['breaks', 'mistaken']) {
        const answer = JSON.parse(await (await session.post(request(7, ...call(name)))).text());
        expect(answer).to.not.have.property('result');
        expect(answer).to.deep.include({ id: 7 });
        expect(
          (await ask(fleet, ...call(name), { id: 7, headers: await headersOf('mcp files:write') })).status,
        ).to.equal(500);
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

describe('a scope challenge whose node is lost before it was told', () => {
  let issuer: AuthorizationServer;
  let fleet: Fleet;
  before(async () => {
    issuer = await AuthorizationServer.start(`${PUBLIC_URL}/mcp`);
    const env = { MCP_SERVER: MODULE, PUBLIC_URL, AUTH_ISSUER: issuer.issuer, NODE_LEASE_MS: '1500' };
    fleet = await startFleet({ nodes: 3, env });
  });
  after(async () => {
    await fleet?.stop();
    await issuer?.stop();
  });

  /** On the first node that is left. */
  const readAndLose = async (scope: string) => {
    const headers = bearer(await issuer.token({ scope }));
    const session = await RawSession.open(fleet, { headers });
    const begun = await session.post(request(7, 'resources/read', { uri: 'secret:///pondered' }), { node: 0 });
    const { id: lastEventId } = await begun.waitForEvent(({ id }) => id !== undefined, 'the first event');
    await fleet.kill(fleet.nodes[0] as NodeProcess);
    const rest = await session.stream({ node: 0, lastEventId: lastEventId as string });
    const answer = await rest.waitFor(({ id }) => id === 7, 'the answer');
    rest.close();
    return answer;
  };

  it('is told by the survivor: no call gets past its guard by that', async () => {
    const refused = await readAndLose('mcp');
    expect(refused).to.not.have.property('result');
    expect(refused.error?.message).to.match(/^Forbidden/);
    expect((await readAndLose('mcp files:write')).result?.contents?.[0]?.text).to.equal('secret');
  });
});
