/** The clients of both eras at one address, at the same time: each in its own way, all with the same results. */
import * as v2 from '@modelcontextprotocol/client';
import { expect } from 'chai';
import { type AnyClient, type Handlers, v1Streamable, v2Legacy, v2Modern } from '../support/clients.js';
import type { ModernSuite } from './modern-suite.js';

const form = (content: Record<string, string>) => ({ action: 'accept' as const, content });
const handlers: Required<Handlers> = {
  async elicit(message) {
    if (message.includes('colour')) return form({ colour: 'green' });
    return form(message.includes('color') ? { color: 'blue' } : { name: 'Ada' });
  },
  sample: async (prompt) => `about "${prompt}": Paris`,
  roots: async () => ['file:///home/ada'],
};

const PREFIX = 'test_input_required_result_';
const TOOLS: readonly (readonly [name: string, args?: Record<string, unknown>])[] = [
  ['echo', { text: 'hi' }],
  ['test_simple_text'],
  ['struct_obj'],
  ['fail_tool'],
  ['crash_tool'],
  ['slow', { ms: 50, steps: 2 }],
  ['slow', { ms: 'no number' }],
  ['ask_form'],
  ['ask_two_rounds'],
  [`${PREFIX}sampling`],
  [`${PREFIX}list_roots`],
  [`${PREFIX}multiple_inputs`],
];

/** Which era the second SDK line's client ends up in, when it may choose or not. */
export async function eraOf(url: string, mode?: 'auto'): Promise<string> {
  const options = mode ? { versionNegotiation: { mode } } : {};
  const client = new v2.Client({ name: 'fleet-test', version: '1.0.0' }, options);
  const transport = new v2.StreamableHTTPClientTransport(new URL('/mcp', url));
  await client.connect(transport as v2.Transport);
  const era = `${client.getProtocolEra()} ${client.getNegotiatedProtocolVersion()}`;
  expect((await client.listTools()).tools).to.not.deep.equal([]);
  if (transport.sessionId !== undefined) await transport.terminateSession();
  await client.close();
  return era;
}

export const clientsTogether: ModernSuite = (fleet) => {
  it('each finds its era: the newest where it may choose, the legacy one by default', async () => {
    expect(await eraOf(fleet().url, 'auto')).to.equal('modern 2026-07-28');
    expect(await eraOf(fleet().url)).to.equal('legacy 2025-11-25');
  });

  it('all find the same tools with the same results, at the same time', async () => {
    const kinds = [v1Streamable, v2Legacy, v2Modern];
    const clients = await Promise.all(kinds.map(({ connect }) => connect(fleet().url, handlers)));
    const sessions = clients.map(({ sessionId }) => sessionId !== undefined);
    expect(sessions).to.deep.equal(kinds.map(({ era }) => era === 'legacy'));

    const [names, ...others] = await Promise.all(clients.map((client) => client.listTools()));
    for (const list of others) expect(list).to.deep.equal(names);
    const outcomesOf = (client: AnyClient) => Promise.all(TOOLS.map(([name, args]) => client.callTool(name, args)));
    const [outcomes, ...same] = await Promise.all(clients.map(outcomesOf));
    for (const list of same) expect(list).to.deep.equal(outcomes);
    expect(outcomes?.map(({ isError }) => isError)).to.deep.equal([
      ...[false, false, false, true, true],
      ...[false, true, false, false, false, false, false],
    ]);
    await Promise.all(clients.map((client) => client.close()));
  });
};
