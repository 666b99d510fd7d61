/** What a request of the modern era must leave alone although it comes in on the same URL: sessions and their calls. */
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import { notification, textOf } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { ask, MODERN, post } from './modern-client.js';
import { type ModernSuite, nodesOf } from './modern-suite.js';

const DECLARES_MODERN = { 'MCP-Protocol-Version': MODERN };

export const bystanders: ModernSuite = (fleet) => {
  it('an answer posted under the header is 400, and the legacy call that waits for one goes on waiting', async () => {
    const session = await RawSession.open(fleet(), { capabilities: { elicitation: {} } });
    const call = await session.startTool('ask_form', {}, { node: 0 });
    const asked = await call.asked('elicitation/create');
    const colour = (name: string) => ({ result: { action: 'accept', content: { colour: name } } });
    for (const node of nodesOf(fleet())) {
      const stray = { jsonrpc: '2.0', id: asked.id, ...colour('red') };
      const headers = { ...DECLARES_MODERN, 'Mcp-Session-Id': session.id };
      await expectRpcError(await post(fleet(), stray, { node, headers }), 400, -32600);
    }
    await session.reply(asked, colour('green'), { node: 2 });
    expect(textOf(await call.answer()))
      .to.include('green')
      .and.not.include('red');
  });

  it('a cancellation posted under the header is 202, and cancels nothing of either era', async () => {
    const session = await RawSession.open(fleet());
    const legacy = await session.startTool('slow', { ms: 400, steps: 4 }, { node: 0, id: 77 });
    const params = { name: 'slow', arguments: { ms: 400, steps: 4 } };
    const modern = ask(fleet(), 'tools/call', params, { node: 0, id: 77 });
    for (const node of nodesOf(fleet())) {
      const headers = { ...DECLARES_MODERN, 'Mcp-Session-Id': session.id };
      const cancelled = notification('notifications/cancelled', { requestId: 77, reason: 'enough' });
      const response = await post(fleet(), cancelled, { node, headers });
      expect([response.status, await response.text()]).to.deep.equal([202, '']);
    }
    expect(textOf(await legacy.answer())).to.equal('slow: 4 steps done');
    expect(textOf(await (await modern).json())).to.equal('slow: 4 steps done');
  });

  it('notifications of the legacy era, posted under the header, change no session', async () => {
    const session = await RawSession.open(fleet(), { initialized: false });
    const headers = { ...DECLARES_MODERN, 'Mcp-Session-Id': session.id };
    const before = await fleet().inspect.hGetAll(`session:${session.id}`);
    const response = await post(fleet(), notification('notifications/initialized'), { headers });
    expect(response.status).to.equal(202);
    expect(await fleet().inspect.hGetAll(`session:${session.id}`)).to.deep.equal(before);
  });

  /** 405 under the header, with a session id that is good: and good it is afterwards. */
  const expectNoMethod = async (version: string): Promise<void> => {
    const session = await RawSession.open(fleet());
    for (const node of nodesOf(fleet())) {
      for (const method of ['GET', 'DELETE']) {
        const headers = session.headers({ Accept: 'text/event-stream', 'MCP-Protocol-Version': version });
        const response = await send(`${fleet().nodeUrls[node]}/mcp`, { method, headers });
        await expectRpcError(response, 405);
        expect(response.headers.allow).to.equal('POST');
        expect(await session.status({ node })).to.equal(200);
      }
    }
  };

  it('GET and DELETE under the header are 405, and the session they name lives on', () => expectNoMethod(MODERN));

  it('GET and DELETE under the header of a later revision are 405 as well', () => expectNoMethod('2027-03-01'));
};
