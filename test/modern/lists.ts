/** Lists and readings: the same bytes from every node, with what a client needs to keep them and to know who spoke. */
import { expect } from 'chai';
import { size } from '../streams/scale.js';
import { ASKABLE, answer, ask, SERVER_INFO } from './modern-client.js';
import { inTurns, type ModernSuite } from './modern-suite.js';

/** Of every node in turn. */
const READINGS = size(6, 99);

const CACHEABLE: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'server/discover': {},
  'tools/list': {},
  'prompts/list': {},
  'resources/list': {},
  'resources/templates/list': {},
  'resources/read': { uri: 'test://static-text' },
};

export const lists: ModernSuite = (fleet) => {
  for (const [method, params] of Object.entries(CACHEABLE)) {
    it(`${method} gives the same bytes on every node, ${READINGS} times, and how long they may be kept`, async () => {
      const texts = await inTurns(READINGS, 6, async (turn) =>
        (await ask(fleet(), method, params, { node: turn % 3, id: 1 })).text(),
      );
      expect(new Set(texts).size).to.equal(1);
      const { result } = JSON.parse(texts[0] as string);
      expect(result.resultType).to.equal('complete');
      expect(Number.isInteger(result.ttlMs) && result.ttlMs >= 0, `ttlMs ${result.ttlMs}`).to.equal(true);
      expect(result.cacheScope).to.be.oneOf(['public', 'private']);
      expect(result._meta[SERVER_INFO]).to.include({ name: 'anynode-everything', version: '0.1.0' });
    });
  }

  it('list each name once, in a form that any client takes', async () => {
    const { result } = await answer(fleet(), 'tools/list');
    const names: string[] = result.tools.map(({ name }: { name: string }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const name of names) expect(name).to.match(/^[\w.-]{1,128}$/);
  });

  for (const [method, params] of [
    ['tools/call', { name: 'ask_form', arguments: {} }],
    ['prompts/get', { name: 'test_input_required_result_prompt' }],
    ['tools/call', { name: 'nobody-knows-it', arguments: {} }],
    ['resources/read', { uri: 'test://nowhere' }],
  ] as const) {
    it(`a ${method} that is not complete may not be kept: ${Object.values(params)[0]}`, async () => {
      const { result, error } = await answer(fleet(), method, params, { capabilities: ASKABLE });
      if (result) expect(result.resultType).to.equal('input_required');
      else expect(error?.code).to.equal(-32602);
      expect({ ...result, ...error }).to.not.have.any.keys('ttlMs', 'cacheScope');
    });
  }

  it('a resource that is not there is -32602 with its URI, never an empty reading', async () => {
    const uri = 'test://nowhere';
    const { result, error } = await answer(fleet(), 'resources/read', { uri });
    expect(result).to.equal(undefined);
    expect(error).to.deep.include({ code: -32602, data: { uri } });
  });

  it('every kind of result says which server spoke', async () => {
    for (const [method, params] of [
      ['tools/call', { name: 'echo', arguments: { text: 'hi' } }],
      ['tools/call', { name: 'fail_tool', arguments: {} }],
      ['tools/call', { name: 'ask_form', arguments: {} }],
      ['prompts/get', { name: 'test_simple_prompt' }],
      ['completion/complete', completion],
    ] as const) {
      const { result } = await answer(fleet(), method, params, { capabilities: ASKABLE });
      expect(result.resultType).to.be.oneOf(['complete', 'input_required']);
      expect(result._meta[SERVER_INFO].name, JSON.stringify(params)).to.equal('anynode-everything');
    }
  });
};

const completion = {
  ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
  argument: { name: 'arg1', value: 'test' },
};
