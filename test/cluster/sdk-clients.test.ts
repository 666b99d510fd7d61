/**
 * The clients people use, unchanged, through the balancer: they cannot know that there is more than one node, and every
 * feature they have has to work although no two of their requests meet the same one.
 */
import { expect } from 'chai';
import { ALL_CLIENTS, type AnyClient, type ClientKind, type Handlers, Refusal, v1Sse } from '../support/clients.js';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';

const URI = 'test://watched-resource';
const form = (content: Record<string, string>) => ({ action: 'accept' as const, content });

const handlers: Required<Handlers> = {
  async elicit(message) {
    if (message.includes('colour')) return form({ colour: 'green' });
    return form(message.includes('color') ? { color: 'blue' } : { name: 'Ada' });
  },
  sample: async (prompt) => `about "${prompt}": Paris`,
  roots: async () => ['file:///home/ada'],
};

describe('through the balancer', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ env: { MCP_SERVER: 'everything' } });
  });
  after(() => fleet?.stop());

  for (const kind of ALL_CLIENTS) describe(`the ${kind.label}`, () => scenario(() => fleet, kind));
});

function scenario(fleetOf: () => Fleet, { label, era, terminates, connect }: ClientKind): void {
  let fleet: Fleet;
  let client: AnyClient;
  before(() => {
    fleet = fleetOf();
  });
  beforeEach(async () => {
    client = await connect(fleet.url, handlers);
  });
  afterEach(() => client.close());

  /** Runs `work` and returns which replicas took its POSTs, in order. */
  const hopsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    const hops: string[] = [];
    fleet.balancer.onForward = ({ method, replica }) => {
      if (method === 'POST') hops.push(replica);
    };
    await work().finally(() => {
      fleet.balancer.onForward = undefined;
    });
    return hops;
  };

  it('is served by all nodes in turn', async () => {
    const answered = new Set<string>();
    for (let i = 0; i < 6; i++) answered.add((await client.callTool('whereami')).text);
    expect([...answered].sort()).to.deep.equal(fleet.nodes.map(({ nodeId }) => nodeId).sort());
    expect(await client.listTools()).to.include.members(['echo', 'whereami', 'slow']);
  });

  it('is asked by one node and answers at another', async () => {
    let answer = '';
    const hops = await hopsOf(async () => {
      answer = (await client.callTool('ask_form')).text;
    });
    expect(answer).to.include('accept').and.include('green');
    expect(hops).to.have.lengthOf(2);
    expect(hops[0]).to.not.equal(hops[1]);
  });

  it('goes through two rounds of questions, the second knowing the first', async () => {
    expect((await client.callTool('ask_two_rounds')).text)
      .to.include('Ada')
      .and.include('blue');
  });

  it('lends its model and its roots to a call', async () => {
    expect((await client.callTool('test_input_required_result_sampling')).text).to.include('Paris');
    expect((await client.callTool('test_input_required_result_list_roots')).text).to.include('file:///home/ada');
    const all = await client.callTool('test_input_required_result_multiple_inputs');
    expect(all.text).to.include('Ada').and.include('Paris').and.include('file:///home/ada');
  });

  it('may say no: by declining, and by an error', async () => {
    const declining = await connect(fleet.url, { elicit: async () => ({ action: 'decline' }) });
    expect((await declining.callTool('ask_form')).text).to.include('decline');
    await declining.close();
    const refusing = await connect(fleet.url, {
      elicit: async () => {
        throw new Refusal('not today');
      },
    });
    const outcome = await refusing
      .callTool('ask_form')
      .catch((error: Error) => ({ isError: true, text: error.message }));
    expect(outcome.isError).to.equal(true);
    expect(outcome.text).to.include('not today');
    await refusing.close();
  });

  it('sees the progress of a call, in order', async () => {
    // The client of HTTP+SSE looks at an answer before a notification that it reads together with it, and then drops that
    // one: the last of them, on a machine that is busy. All before it must be there each time, and that one in the end.
    const runs: number[][] = [];
    await eventually(async () => {
      const seen: number[] = [];
      runs.push(seen);
      await client.callTool('slow', { ms: 500, steps: 5 }, { onProgress: (progress) => seen.push(progress) });
      return seen.length === 5;
    });
    for (const seen of runs) expect(seen).to.deep.equal([1, 2, 3, 4, 5].slice(0, Math.max(seen.length, 4)));
    if (label !== v1Sse.label) expect(runs, 'runs until all was seen').to.have.lengthOf(1);
  });

  it('takes a call back', async () => {
    const abort = new AbortController();
    const call = client.callTool(
      'slow',
      { ms: 20_000, steps: 200 },
      { signal: abort.signal, onProgress: () => abort.abort('enough') },
    );
    const outcome = await call.catch((error: Error) => error);
    expect(outcome).to.be.instanceOf(Error);
    expect((await client.callTool('echo', { text: 'still here' })).text).to.equal('still here');
  });

  it('is told of changes made by others', async () => {
    const other = await connect(fleet.url);
    await client.subscribe(URI);
    await eventually(async () => {
      await other.callTool('touch', { uri: URI });
      return client.notices.some(({ method, params }) => method.endsWith('/updated') && params.uri === URI);
    });
    if (era === 'legacy') {
      await other.callTool('mutate', { kind: 'prompts' });
      await eventually(() => client.notices.some(({ method }) => method === 'notifications/prompts/list_changed'));
    }
    await other.close();
  });

  it('runs many calls at once, each with its own question', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        i % 2 === 0 ? client.callTool('echo', { text: `${i}` }) : client.callTool('ask_form'),
      ),
    );
    answers.forEach(({ text }, i) => {
      expect(text).to.include(i % 2 === 0 ? `${i}` : 'green');
    });
  });

  if (era === 'legacy') {
    it('sets the log level for whichever node logs next', async () => {
      await client.setLevel('error');
      await client.callTool('test_tool_with_logging');
      expect(client.notices.filter(({ method }) => method === 'notifications/message')).to.deep.equal([]);
      await client.setLevel('info');
      await client.callTool('test_tool_with_logging');
      await eventually(() => client.notices.filter(({ method }) => method === 'notifications/message').length === 3);
    });

    it('counts in its own session, on every node', async () => {
      const counts = [];
      for (let i = 0; i < 4; i++) counts.push((await client.callTool('count', { key: 'k' })).text);
      expect(counts).to.deep.equal(['1', '2', '3', '4']);
    });
  }

  if (terminates) {
    it('ends its session for all nodes', async () => {
      const id = client.sessionId;
      expect(id).to.be.a('string');
      expect(await fleet.inspect.exists(`session:${id}`)).to.equal(1);
      await client.terminate();
      expect(await fleet.inspect.exists(`session:${id}`)).to.equal(0);
    });
  }

  if (era === 'modern') {
    it('leaves no session behind', async () => {
      const before = await fleet.inspect.keys('*session:*');
      await client.callTool('echo', { text: 'x' });
      await client.callTool('ask_form');
      expect(client.sessionId).to.equal(undefined);
      const added = (await fleet.inspect.keys('*session:*')).filter((key) => !before.includes(key));
      expect(added).to.deep.equal([]);
    });
  }
}
