/** Which era a request is of: the claim in its body decides, whatever else it carries and whoever takes it. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { initialize, type RpcId, textOf } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { answer, ask, body, CAPABILITIES, callTool, MODERN, modernHeaders } from './modern-client.js';
import { inTurns, type ModernSuite, nodesOf } from './modern-suite.js';

/** The legacy era has them, and this one endpoint serves them to it. */
const LEGACY_METHODS = ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'];

const INFO = 'io.modelcontextprotocol/clientInfo';

export const era: ModernSuite = (fleet) => {
  it('is modern at first contact, on every node, and no session comes of it', async () => {
    for (const node of nodesOf(fleet())) {
      const response = await ask(fleet(), 'server/discover', {}, { node });
      expect(response.headers).to.not.have.property('mcp-session-id');
      const { result } = await response.json();
      expect([response.status, result.resultType]).to.deep.equal([200, 'complete']);
      expect(result.supportedVersions).to.deep.equal([MODERN]);
      expect(result.capabilities).to.include.keys('tools', 'prompts', 'resources');
    }
  });

  for (const method of [...LEGACY_METHODS, 'unknown/method']) {
    it(`is modern for an enveloped ${method}: 404 and -32601`, async () => {
      const params = { ...(initialize('2025-11-25') as { params: object }).params, uri: 'test://x', level: 'info' };
      for (const node of nodesOf(fleet())) {
        const response = await ask(fleet(), method, params, { node, id: 'x-7' });
        await expectRpcError(response, 404, -32601, 'x-7');
        expect(response.headers).to.not.have.property('mcp-session-id');
      }
    });
  }

  it('is not changed by a session id, alive or stale, nor by an event id: neither is looked at nor given back', async () => {
    const session = await RawSession.open(fleet());
    for (const id of [session.id, randomUUID(), 'no-uuid', '']) {
      for (const node of nodesOf(fleet())) {
        const headers = { 'Mcp-Session-Id': id, 'Last-Event-ID': '5', Cookie: `session=${id}` };
        const params = { name: 'count', arguments: {} };
        const response = await ask(fleet(), 'tools/call', params, { node, headers });
        expect(response.status).to.equal(200);
        expect(response.headers).to.not.have.property('mcp-session-id');
        const { result } = await response.json();
        expect(JSON.stringify(result.content), 'count has no session to count in').to.include('no session');
      }
    }
    expect(await session.status()).to.equal(200);
  });

  it('does not depend on who the client says it is, and it need not say so', async () => {
    const texts = new Set<string>();
    for (const info of [undefined, { name: 'a', version: '1' }, { name: 'b', version: '2' }]) {
      const { result } = await answer(fleet(), 'tools/list', {}, { meta: { [INFO]: info } });
      texts.add(JSON.stringify(result));
    }
    expect(texts.size).to.equal(1);
  });

  it('leaves ids to who sends them: many have the same, and each gets its own answer under it, type and all', async () => {
    const ids: RpcId[] = [1, '1', 0, '', -1, Number.MAX_SAFE_INTEGER, 'a b'];
    const answers = await inTurns(ids.length * 6, ids.length * 2, (turn) => {
      const id = ids[turn % ids.length] as RpcId;
      return callTool(fleet(), 'echo', { text: `${turn}` }, { id });
    });
    expect(answers.map(textOf)).to.deep.equal(answers.map((_, turn) => `${turn}`));
    expect(answers.map(({ id }) => id)).to.deep.equal(answers.map((_, turn) => ids[turn % ids.length]));
  });

  it('has no memory: what one request declared the next has to declare again', async () => {
    const { result } = await callTool(fleet(), 'ask_form', {}, { node: 0, capabilities: { elicitation: {} } });
    expect(result.resultType).to.equal('input_required');
    for (const node of nodesOf(fleet())) {
      const response = await ask(fleet(), 'tools/call', { name: 'ask_form', arguments: {} }, { node });
      const { error } = await expectRpcError(response, 400, -32021);
      expect(error?.data).to.have.nested.property('requiredCapabilities.elicitation');
    }
  });

  it('is legacy for a handshake without a claim, whatever version it asks for', async () => {
    const response = await postMcp(fleet(), initialize(MODERN));
    expect(response.status).to.equal(200);
    expect(response.headers['mcp-session-id']).to.be.a('string');
    expect((await response.json()).result.protocolVersion).to.equal('2025-11-25');
  });

  it('stays modern for a request that gates let in with an odd Host, as they do for the other one', async () => {
    // The list of allowed hosts names no port, so any is allowed; this one no socket can have.
    const headers = { Host: 'localhost:99999', 'Content-Type': 'application/json', Accept: '*/*' };
    const url = `${fleet().nodeUrls[0]}/mcp`;
    const legacy = await send(url, { method: 'POST', headers, body: JSON.stringify(initialize('2025-11-25')) });
    const modern = await send(url, {
      method: 'POST',
      headers: { ...headers, ...modernHeaders('tools/list', {}) },
      body: JSON.stringify(body('tools/list', {}, { meta: { [CAPABILITIES]: {} } })),
    });
    expect([modern.status, legacy.status], await modern.text()).to.deep.equal([200, 200]);
  });
};
