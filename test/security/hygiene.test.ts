/** What a node says about itself and its users: safe headers, an audit trail, and no secret at any level of the log. */
import { expect } from 'chai';
import { hashId } from '../../src/core/logger.js';
import { ask } from '../modern/modern-client.js';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, request } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { RawSseSession } from '../support/raw-sse-client.js';

const TOKEN = 'token-of-ada-7d1f-c0ffee';
const ADA = { Authorization: `Bearer ${TOKEN}` };
const ARGUMENT = 'argument-8a1d6e9c';
const STATE = 'state-value-77b1';

describe('the log of a fleet at its most talkative', () => {
  let fleet: Fleet;
  let session: RawSession;
  let deleted: RawSession;
  let old: RawSseSession;
  const lines = () => fleet.nodes.flatMap(({ log }) => log);
  before(async () => {
    const env = { MCP_SERVER: 'everything', AUTH_TOKENS: `ada:${TOKEN}`, LOG_LEVEL: 'trace', SESSION_TTL_MS: '3000' };
    fleet = await startFleet({ nodes: 2, env });
    session = await RawSession.open(fleet, { headers: ADA, capabilities: { elicitation: {}, sampling: {} } });
    deleted = await RawSession.open(fleet, { headers: ADA });
    old = await RawSseSession.connect(fleet, { headers: ADA });
    await session.callTool('echo', { text: ARGUMENT });
    await session.callTool('no_such_tool', { text: ARGUMENT });
    await session.request('no/such/method', { text: ARGUMENT });
    await session.startTool('slow', { ms: 400, steps: 2 }, { progressToken: ARGUMENT }).then((call) => call.answer());
    await session.request('resources/read', { uri: `test://${ARGUMENT}` });
    await session.request('logging/setLevel', { level: ARGUMENT });
    const call = await session.startTool('test_elicitation', { message: ARGUMENT });
    const asked = await call.asked('elicitation/create');
    await session.reply(
      asked,
      { result: { action: 'accept', content: { username: STATE, email: 'a@b' } } },
      { node: 1 },
    );
    await call.answer();
    await ask(fleet, 'tools/call', { name: 'echo', arguments: { text: ARGUMENT } }, { headers: ADA });
    await ask(
      fleet,
      'tools/call',
      { name: 'echo', arguments: { text: ARGUMENT }, requestState: STATE },
      { headers: ADA },
    );
    for (const bad of ['{"jsonrpc":"2.0","id":1,"method":', ARGUMENT, '[]']) {
      await send(`${fleet.url}/mcp`, {
        method: 'POST',
        headers: { ...session.headers(), 'Content-Type': 'application/json' },
        body: bad,
      });
    }
    await postMcp(fleet, initialize(NEWEST_REVISION), { headers: { Authorization: `Bearer wrong-${ARGUMENT}-token` } });
    await postMcp(fleet, initialize(NEWEST_REVISION), { headers: { ...ADA, Host: 'evil.example' } });
    await postMcp(fleet, initialize(NEWEST_REVISION), { headers: { ...ADA, Origin: 'https://evil.example' } });
    await postMcp(fleet, request(1, 'ping'), { headers: { ...ADA, 'Mcp-Session-Id': old.id } });
    await deleted.delete();
  });
  after(() => fleet?.stop());

  it('holds no token, session id, argument, answer or state', async () => {
    const text = fleet.nodes.flatMap(({ raw }) => raw).join('\n');
    expect(text).to.include('"audit"');
    for (const secret of [TOKEN, `wrong-${ARGUMENT}`, session.id, deleted.id, old.id, ARGUMENT, STATE]) {
      expect(text.includes(secret), secret).to.equal(false);
    }
  });

  it('tells who opened a session, how it ended, and who was refused what', async () => {
    for (const [id, transport] of [
      [session.id, 'streamable'],
      [deleted.id, 'streamable'],
      [old.id, 'sse'],
    ] as const) {
      const opened = lines().filter(({ audit, session: s }) => audit === 'session_opened' && s === hashId(id));
      expect(opened).to.have.length(1);
      expect(opened[0]).to.include({ principal: 'user:ada', transport, level: 'info' });
    }
    const ended = (id: string) =>
      lines().filter(({ audit, session: s }) => audit === 'session_ended' && s === hashId(id));
    expect(ended(deleted.id).map(({ reason }) => reason)).to.deep.equal(['deleted']);
    // Nobody uses it any more; the stream of the other one is closed first.
    old.stream.close();
    await eventually(() => ended(session.id).length === 1 && ended(old.id).length === 1, { what: 'both to expire' });
    expect(ended(session.id)[0]).to.include({ reason: 'expired' });

    const refused = lines().filter(({ audit }) => audit === 'refused');
    expect(refused.map(({ reason, status }) => [reason, status])).to.deep.include.members([
      ['token', 401],
      ['host', 403],
      ['origin', 403],
      ['session', 404],
    ]);
    for (const { address } of refused) expect(address).to.equal('127.0.0.1');
  });

  it('is not filled by whoever is refused: lines are budgeted, and the rest is counted', async () => {
    const count = (): number => lines().filter(({ audit }) => audit === 'refused').length;
    const unwritten = (): number => lines().reduce((sum, line) => sum + Number(line.unwritten ?? 0), 0);
    const before = count() + unwritten();
    const flood = 300;
    for (let i = 0; i < flood; i += 30) {
      await Promise.all(Array.from({ length: 30 }, () => postMcp(fleet, request(1, 'ping'), { node: 0 })));
    }
    expect(count()).to.be.below(before + flood / 2);
    await eventually(
      async () => {
        await postMcp(fleet, request(1, 'ping'), { node: 0 });
        return count() + unwritten() >= before + flood;
      },
      { what: 'all refusals to be counted' },
    );
  });
});

describe('every answer', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ nodes: 1, env: { MCP_SERVER: 'everything', OPS_PORT: '0' } });
  });
  after(() => fleet?.stop());

  it('says that it is no page, and nothing of what made it', async () => {
    const session = await RawSession.open(fleet);
    const stream = await session.stream();
    const opsPort = Number(fleet.nodes[0]?.log.find(({ opsPort }) => opsPort !== undefined)?.opsPort);
    const answers = [
      stream,
      await session.post(request(1, 'ping')),
      await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' }),
      await postMcp(fleet, { nothing: true }),
      await ask(fleet, 'tools/call', { name: 'echo', arguments: { text: 'x' } }),
      await ask(fleet, 'subscriptions/listen', { notifications: { toolsListChanged: true } }),
      await send(`${fleet.url}/health`),
      await send(`${fleet.url}/nowhere`),
      await send(`${fleet.url}/mcp`, { method: 'PATCH' }),
      await send(`http://127.0.0.1:${opsPort}/metrics`),
    ];
    for (const { status, headers, ...response } of answers) {
      expect(headers['x-content-type-options'], `${status}`).to.equal('nosniff');
      expect(headers['content-security-policy'], `${status}`).to.include("default-src 'none'");
      expect(headers).to.not.have.any.keys('x-powered-by', 'server', 'etag');
      void response;
    }
    for (const answer of answers) answer.close();
  });

  it('leaves metrics to the port of the operators where there is one, and they accept no protocol there', async () => {
    const opsPort = Number(fleet.nodes[0]?.log.find(({ opsPort }) => opsPort !== undefined)?.opsPort);
    const url = fleet.nodes[0]?.url;
    expect((await send(`${url}/metrics`)).status).to.equal(404);
    expect((await send(`http://127.0.0.1:${opsPort}/metrics`)).status).to.equal(200);
    for (const path of ['/mcp', '/sse', '/messages']) {
      expect((await send(`http://127.0.0.1:${opsPort}${path}`)).status).to.equal(404);
    }
    for (const path of ['/health', '/livez', '/readyz']) {
      expect((await send(`http://127.0.0.1:${opsPort}${path}`)).status).to.equal(200);
      expect((await send(`${url}${path}`)).status).to.equal(200);
    }
  });

  it("of the operators' port is given only to whom it may be given: no other site, no other Host but for probes", async () => {
    const opsPort = Number(fleet.nodes[0]?.log.find(({ opsPort }) => opsPort !== undefined)?.opsPort);
    const refused = await send(`http://127.0.0.1:${opsPort}/metrics`, { headers: { Origin: 'https://evil.example' } });
    expect(refused.status).to.equal(403);
    const scraped = await send(`http://127.0.0.1:${opsPort}/metrics`, { headers: { Host: '10.0.0.7:9000' } });
    expect(scraped.status).to.equal(200);
  });
});
