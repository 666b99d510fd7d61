/** What a state is bound to besides its user: the method and the name it was given out for. */
import { expect } from 'chai';
import type { RpcMessage } from '../support/json-rpc.js';
import { ASKABLE, answer } from './modern-client.js';
import type { ModernSuite } from './modern-suite.js';

type Request = readonly [method: string, params: Readonly<Record<string, unknown>>];

const TOOL: Request = ['tools/call', { name: 'rounds', arguments: {} }];
const PROMPT: Request = ['prompts/get', { name: 'rounds' }];
const RESOURCE: Request = ['resources/read', { uri: 'rounds://a' }];
const OTHER: Request = ['resources/read', { uri: 'rounds://b' }];
const ALL = { TOOL, PROMPT, RESOURCE, OTHER };

export const bindings: ModernSuite = (fleet) => {
  const send = ([method, params]: Request, node: number, requestState?: string): Promise<RpcMessage> =>
    answer(fleet(), method, { ...params, ...(requestState && { requestState }) }, { node, capabilities: ASKABLE });

  for (const [name, request] of Object.entries(ALL)) {
    it(`given out for ${request[0]} of ${name.toLowerCase()} is good for that, on another node, and for nothing else`, async () => {
      const { result } = await send(request, 0);
      expect(result.resultType).to.equal('input_required');
      expect(JSON.stringify((await send(request, 1, result.requestState)).result)).to.include('a secret');
      for (const other of Object.values(ALL).filter((candidate) => candidate !== request)) {
        const { result: nothing, error } = await send(other, 2, result.requestState);
        expect([nothing, error?.code], JSON.stringify(other)).to.deep.equal([undefined, -32602]);
      }
    });
  }

  it('cannot be taken to another resource by giving both a name, which resources do not have', async () => {
    const namedAlike = ([method, params]: Request): Request => [method, { ...params, name: 'alike' }];
    const { result } = await send(namedAlike(RESOURCE), 0);
    const { result: nothing, error } = await send(namedAlike(OTHER), 1, result.requestState);
    expect([nothing, error?.code]).to.deep.equal([undefined, -32602]);
  });
};
