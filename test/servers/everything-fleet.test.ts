/** Tools of `everything` that stream, or that use what a node gives: identity, session state, announcements. */
import { InMemoryTransport, type Transport } from '@modelcontextprotocol/server';
import { expect } from 'chai';
import createServer from '../../src/servers/everything/index.js';
import { callRaw, connectLegacy, fakeNode, lineOf, serveModern } from './connect.js';

describe('everything: streams', () => {
  it('writes three log lines at level info while test_tool_with_logging runs', async () => {
    const { client, logged } = await connectLegacy(createServer(fakeNode('legacy').context));
    await client.setLoggingLevel('debug');
    const result = await client.callTool({ name: 'test_tool_with_logging' });
    expect(lineOf(result)).to.be.a('string');
    expect(logged).to.deep.equal(['Tool execution started', 'Tool processing data', 'Tool execution completed']);
  });

  it('reports 0, 50 and 100 of 100 to who gave a progress token', async () => {
    const { client } = await connectLegacy(createServer(fakeNode('legacy').context));
    const seen: unknown[] = [];
    await client.callTool({ name: 'test_tool_with_progress' }, undefined, { onprogress: (p) => void seen.push(p) });
    expect(seen).to.deep.equal([
      { progress: 0, total: 100 },
      { progress: 50, total: 100 },
      { progress: 100, total: 100 },
    ]);
  });

  it('reports progress on the stream of the modern call, and nothing to who gave no token', async () => {
    const fetch = serveModern(() => createServer(fakeNode('modern').context));
    const name = 'test_tool_with_progress';
    const told = await callRaw(fetch, 'tools/call', { name, _meta: { progressToken: 0 } });
    expect(told.notifications).to.deep.equal(new Array(3).fill('notifications/progress'));
    expect(told.result.resultType).to.equal('complete');
    expect((await callRaw(fetch, 'tools/call', { name })).notifications).to.deep.equal([]);
  });

  it('keeps log lines from a modern client that named no level, and sends them to one that did', async () => {
    const fetch = serveModern(() => createServer(fakeNode('modern').context));
    const name = 'test_logging_tool';
    expect((await callRaw(fetch, 'tools/call', { name })).notifications).to.deep.equal([]);
    const told = await callRaw(fetch, 'tools/call', {
      name,
      _meta: { 'io.modelcontextprotocol/logLevel': 'debug' },
    });
    expect(told.notifications).to.deep.equal(['notifications/message']);
  });

  it('makes one step of progress and one log line after another while slow runs', async () => {
    const { client, logged } = await connectLegacy(createServer(fakeNode('legacy').context));
    const steps: number[] = [];
    const result = await client.callTool({ name: 'slow', arguments: { ms: 3, steps: 3 } }, undefined, {
      onprogress: ({ progress }) => void steps.push(progress),
    });
    expect(lineOf(result)).to.equal('slow: 3 steps done');
    expect(steps).to.deep.equal([1, 2, 3]);
    expect(logged).to.deep.equal(['slow: step 1 of 3', 'slow: step 2 of 3', 'slow: step 3 of 3']);
  });

  it('stops slow when the call is cancelled', async () => {
    const { client, logged } = await connectLegacy(createServer(fakeNode('legacy').context));
    const abort = new AbortController();
    const call = client.callTool({ name: 'slow', arguments: { ms: 2000, steps: 100 } }, undefined, {
      signal: abort.signal,
      onprogress: () => abort.abort(),
    });
    expect(await call.catch(() => 'cancelled')).to.equal('cancelled');
    // Sent after the cancellation on the same ordered way: whatever slow still had to say has arrived by now.
    await client.callTool({ name: 'slow', arguments: { ms: 100, steps: 1 } });
    expect(logged.filter((line) => String(line).endsWith('of 100')).length).to.be.lessThan(3);
  });

  it('writes as many lines as it is told, in order', async () => {
    const { client, logged } = await connectLegacy(createServer(fakeNode('legacy').context));
    await client.callTool({ name: 'many_logs', arguments: { count: 250 } });
    expect(logged).to.have.lengthOf(250);
    expect([logged[0], logged.at(-1)]).to.deep.equal(['line 1 of 250', 'line 250 of 250']);
  });

  it('closes the stream of the call, then finishes test_reconnection', async () => {
    const happened: string[] = [];
    const [near, far]: [Transport, Transport] = InMemoryTransport.createLinkedPair();
    await createServer(fakeNode('legacy').context).connect(far);
    const finished = new Promise<void>((resolve) => {
      near.onmessage = (message) => {
        happened.push(JSON.stringify(message));
        resolve();
      };
    });
    // As a transport hands a request over whose stream can be resumed.
    far.onmessage?.(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'test_reconnection' } },
      { closeSSEStream: () => void happened.push('closed') },
    );
    await finished;
    expect(happened[0]).to.equal('closed');
    expect(happened[1]).to.include('"text":"Reconnection test completed successfully"').and.include('"id":1');
  });
});

describe('everything: the fleet', () => {
  it('names node, principal and client', async () => {
    const alice = { token: 'secret-token', clientId: 'cli', scopes: [], extra: { sub: 'alice' } };
    for (const [authInfo, principal] of [
      [undefined, 'anonymous'],
      [alice, 'alice'],
      [{ ...alice, extra: {} }, 'cli'],
    ] as const) {
      const { client } = await connectLegacy(createServer(fakeNode('legacy', authInfo).context));
      expect(lineOf(await client.callTool({ name: 'whereami' }))).to.equal('node-7');
      expect((await client.callTool({ name: 'whoami' })).content).to.deep.equal([
        { type: 'text', text: principal },
        { type: 'text', text: 'server-test' },
      ]);
    }
  });

  it('knows the modern client from its request', async () => {
    const fetch = serveModern(() => createServer(fakeNode('modern').context));
    const { result } = await callRaw(fetch, 'tools/call', { name: 'whoami' });
    expect(result.content.map(({ text }: { text: string }) => text)).to.deep.equal(['anonymous', 'server-test']);
  });

  it('counts in the session, each key by itself', async () => {
    const { context, state } = fakeNode('legacy');
    const { client } = await connectLegacy(createServer(context));
    const count = async (key: string) => lineOf(await client.callTool({ name: 'count', arguments: { key } }));
    expect([await count('a'), await count('a'), await count('b')]).to.deep.equal(['1', '2', '1']);
    expect([...state]).to.deep.equal([
      ['count:a', 2],
      ['count:b', 1],
    ]);
  });

  it('counts once for slow_count, before it takes its time', async () => {
    const { context, state } = fakeNode('legacy');
    const { client } = await connectLegacy(createServer(context));
    const atStep: unknown[] = [];
    await client.callTool({ name: 'slow_count', arguments: { key: 'k', ms: 2, steps: 2 } }, undefined, {
      onprogress: () => void atStep.push(state.get('count:k')),
    });
    expect(atStep).to.deep.equal([1, 1]);
  });

  it('says that it cannot count where there is no session', async () => {
    const fetch = serveModern(() => createServer(fakeNode('modern').context));
    for (const name of ['count', 'slow_count']) {
      const { result } = await callRaw(fetch, 'tools/call', { name });
      expect(result.isError, name).to.equal(true);
      expect(lineOf(result), name).to.match(/no session/);
    }
  });

  it('announces changes to the whole fleet and not by itself', async () => {
    const { context, announced } = fakeNode('legacy');
    const { client } = await connectLegacy(createServer(context));
    for (const kind of ['tools', 'prompts', 'resources'])
      await client.callTool({ name: 'mutate', arguments: { kind } });
    await client.callTool({ name: 'touch', arguments: { uri: 'test://watched-resource' } });
    await client.callTool({ name: 'test_trigger_tool_change' });
    await client.callTool({ name: 'test_trigger_prompt_change' });
    expect(announced).to.deep.equal([
      'tools',
      'prompts',
      'resources',
      'updated test://watched-resource',
      'tools',
      'prompts',
    ]);
  });
});
