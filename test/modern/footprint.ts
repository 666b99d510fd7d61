/** What the modern era costs the store: nothing, as long as nobody subscribes, announces or asks for another round. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { notification } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { answer, ask, MODERN, post } from './modern-client.js';
import { type ModernSuite, nodesOf } from './modern-suite.js';
import { REFUSALS } from './refusals.js';

/** What nodes do by the clock is about these; all else in the store has been caused by a request. */
const OF_NODES = /"(\{?node:|node-name:|nodes"|duty:|secret:|sessions"|changes"|\{changes\}:newest"|TIME")/;

/** Every command that the store is given while `work` is done. */
async function commandsDuring({ inspect }: Fleet, work: () => Promise<void>): Promise<string[]> {
  const spy = inspect.duplicate();
  spy.on('error', () => {});
  await spy.connect();
  const commands: string[] = [];
  await spy.monitor((command) => void commands.push(String(command)));
  try {
    const mark = `mark-${randomUUID()}`;
    const seen = (name: string) => commands.findIndex((command) => command.includes(name));
    await inspect.echo(`${mark}-begin`);
    await work();
    await inspect.echo(`${mark}-end`);
    await eventually(() => seen(`${mark}-end`) >= 0, { what: 'the mark in the monitor' });
    return commands.slice(seen(`${mark}-begin`) + 1, seen(`${mark}-end`));
  } finally {
    spy.destroy();
  }
}

export const footprint: ModernSuite = (fleet) => {
  it('no request without a round reads a session, or writes anything', async () => {
    const session = await RawSession.open(fleet());
    const keys = () => fleet().inspect.keys('*');
    const headers = { 'Mcp-Session-Id': session.id, 'Last-Event-ID': '5' };
    const work = async (): Promise<void> => {
      for (const node of nodesOf(fleet())) {
        for (const method of ['server/discover', 'tools/list', 'prompts/list', 'resources/list', 'initialize']) {
          await (await ask(fleet(), method, {}, { node, headers })).text();
        }
        await answer(fleet(), 'tools/call', { name: 'echo', arguments: { text: 'hi' } }, { node, headers });
        await answer(fleet(), 'resources/read', { uri: 'test://static-text' }, { node, headers });
        await answer(fleet(), 'prompts/get', { name: 'test_simple_prompt' }, { node, headers });
        const slow = { name: 'slow', arguments: { ms: 20, steps: 2 } };
        await answer(fleet(), 'tools/call', slow, { node, headers, meta: { progressToken: 1 } });
        const declared = { ...headers, 'MCP-Protocol-Version': MODERN };
        const cancelled = notification('notifications/cancelled', { requestId: 1 });
        await (await post(fleet(), cancelled, { node, headers: declared })).text();
        for (const refusal of REFUSALS) await (await refusal.send(fleet(), node)).text();
      }
    };

    const before = await keys();
    // By the clock, whatever is asked: a node tells its own subscription something, and looks after the fleet's secret.
    const byTheClock = /"PUBLISH" "\S*wake-up:\S+" "probe"|secret:request-state/;
    const commands = (await commandsDuring(fleet(), work)).filter((command) => !byTheClock.test(command));
    expect(commands.filter((command) => !OF_NODES.test(command))).to.deep.equal([]);
    expect(commands.filter((command) => /XADD|PUBLISH/.test(command))).to.deep.equal([]);
    const added = (await keys()).filter((key) => !before.includes(key));
    expect(added.filter((key) => !OF_NODES.test(`"${key}"`))).to.deep.equal([]);
  });

  it('a subscription leaves no key, neither while it is open nor after', async () => {
    const before = await fleet().inspect.keys('*');
    const stream = await ask(fleet(), 'subscriptions/listen', { notifications: { toolsListChanged: true } });
    await stream.waitForEvent(() => true, 'the acknowledgement');
    const added = (await fleet().inspect.keys('*')).filter((key) => !before.includes(key));
    expect(added.filter((key) => !OF_NODES.test(`"${key}"`))).to.deep.equal([]);
    stream.close();
  });
};
