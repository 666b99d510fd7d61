/** What belongs to a call comes on the call's own stream, wherever its settings were made. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import type { RpcMessage } from '../support/json-rpc.js';
import { type Exchange, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { flush, PROBES, probe, startProbeFleet } from './probe-fleet.js';

const isProgress = ({ method }: RpcMessage): boolean => method === 'notifications/progress';
const isLog = ({ method }: RpcMessage): boolean => method === 'notifications/message';

for (const [line, module] of Object.entries(PROBES)) {
  describe(`progress and log lines of ${line}`, () => {
    let fleet: Fleet;
    before(async () => {
      fleet = await startProbeFleet({ env: { MCP_SERVER: module } });
    });
    after(() => fleet?.stop());

    const levelsOf = async (session: RawSession, node: number): Promise<string[]> => {
      const call = await session.startTool('log_levels', {}, { node });
      await call.answer();
      return call.response.messages.filter(isLog).map(({ params }) => params.level);
    };

    it('come on the stream of their call and on no other', async () => {
      const session = await RawSession.open(fleet);
      const stream = await session.stream({ node: 1 });
      const [noisy, quiet] = await Promise.all([
        session.startTool('report', { steps: 20 }, { node: 0, progressToken: 't' }),
        session.startTool('pause', { ms: 600 }, { node: 2, progressToken: 'u' }),
      ]);
      await Promise.all([noisy.answer(), quiet.answer()]);
      const steps = noisy.response.messages.filter(isProgress).map(({ params }) => params.progress);
      expect(steps).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1));
      expect(quiet.response.messages.filter(isProgress)).to.deep.equal([]);
      await flush(session, stream, { node: 2 });
      expect(stream.messages.filter((message) => isProgress(message) || isLog(message))).to.deep.equal([]);
      stream.close();
    });

    it('repeat the progress token with its type, and keep equal tokens of two sessions apart', async () => {
      const sessions = await Promise.all([RawSession.open(fleet), RawSession.open(fleet)]);
      for (const progressToken of ['t', 0, '0', 12]) {
        const calls = await Promise.all(
          sessions.map((session, i) => session.startTool('report', { steps: 3 + i }, { node: i, progressToken })),
        );
        await Promise.all(calls.map((call) => call.answer()));
        for (const [i, call] of calls.entries()) {
          const tokens = call.response.messages.filter(isProgress).map(({ params }) => params.progressToken);
          expect(tokens).to.deep.equal(Array(3 + i).fill(progressToken));
        }
      }
    });

    it('follow the level set on another node, from the next call on', async () => {
      const session = await RawSession.open(fleet);
      expect(await levelsOf(session, 2)).to.have.lengthOf(8);
      for (const [level, count] of [
        ['error', 4],
        ['debug', 8],
        ['emergency', 1],
      ] as const) {
        expect((await session.request('logging/setLevel', { level }, { node: 0 })).result).to.deep.equal({});
        const levels = await levelsOf(session, 1);
        expect(levels, level).to.have.lengthOf(count);
        expect(levels).to.include('emergency');
      }
    });

    it('follow the level also within a call that is running', async () => {
      const session = await RawSession.open(fleet);
      const call = await session.startTool('chatter', { key: 'stop' }, { node: 0 });
      const last = (level: string): number =>
        call.response.messages.filter((m) => isLog(m) && m.params.level === level).at(-1)?.params.data ?? -1;
      await eventually(() => last('debug') > 2);
      await session.request('logging/setLevel', { level: 'error' }, { node: 1 });
      await eventually(() => last('error') - last('debug') > 10, { what: 'debug lines to cease' });
      await probe(session, 'remember', { key: 'stop', value: 1 }, { node: 2 });
      await call.answer();
    });

    it('are not filtered by a level that does not exist, nor by that of another session', async () => {
      const [a, b] = await Promise.all([RawSession.open(fleet), RawSession.open(fleet)]);
      const wrong = await a.request('logging/setLevel', { level: 'loud' });
      expect(wrong.error?.code).to.equal(-32602);
      await a.request('logging/setLevel', { level: 'critical' }, { node: 0 });
      expect(await levelsOf(b, 0)).to.have.lengthOf(8);
      expect(await levelsOf(a, 2)).to.deep.equal(['critical', 'alert', 'emergency']);
    });
  });
}

describe('streams of calls', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startProbeFleet();
  });
  after(() => fleet?.stop());

  const primed = async (session: RawSession, key: string, node: number): Promise<[Exchange, string]> => {
    const call = await session.startTool('wait_for', { key }, { node });
    const first = await call.response.waitForEvent(({ id }) => id !== undefined, 'an event with an id');
    return [call, first.id ?? ''];
  };
  const isAnswerTo = (call: Exchange) => (message: RpcMessage) =>
    message.id === call.requestId && message.method === undefined;

  it('go on at another node when the client reconnects there, while the call still runs', async () => {
    const session = await RawSession.open(fleet);
    const [call, id] = await primed(session, 'go', 0);
    call.response.close();
    const rest = await session.stream({ node: 1, lastEventId: id });
    await probe(session, 'remember', { key: 'go', value: 'done' }, { node: 2 });
    const answer = await rest.waitFor(isAnswerTo(call), 'the answer');
    expect(answer.result.content[0].text).to.include('done');
    expect(await rest.ended).to.equal(true);
    expect(rest.messages.filter(isAnswerTo(call))).to.have.lengthOf(1);
  });

  it('can be read again when the call is over, from any node, and end there', async () => {
    const session = await RawSession.open(fleet);
    const [call, id] = await primed(session, 'go', 0);
    await probe(session, 'remember', { key: 'go', value: 1 });
    await call.answer();
    for (const node of [1, 2]) {
      const again = await session.stream({ node, lastEventId: id });
      await again.waitFor(isAnswerTo(call), 'the answer');
      expect(await again.ended).to.equal(true);
    }
    const last = call.response.events.at(-1)?.id ?? '';
    const nothing = await session.stream({ node: 1, lastEventId: last });
    expect(await nothing.ended).to.equal(true);
    expect(nothing.messages).to.deep.equal([]);
  });

  it('tell nothing to another session that knows an event id', async () => {
    const [owner, stranger] = await Promise.all([RawSession.open(fleet), RawSession.open(fleet)]);
    const [call, id] = await primed(owner, 'go', 0);
    await probe(owner, 'remember', { key: 'go', value: 'secret' });
    await call.answer();
    for (const node of [0, 1, 2]) {
      const headers = stranger.headers({ Accept: 'text/event-stream', 'Last-Event-ID': id });
      const response = await send(`${fleet.nodeUrls[node]}/mcp`, { headers });
      expect(response.status).to.be.lessThan(500);
      // Either it ends, or it is the stranger's own stream and carries only what is the stranger's.
      if (response.isStream) await Promise.race([response.ended, flush(stranger, response)]);
      response.close();
      expect(await response.text()).to.not.include('secret');
    }
    expect(await stranger.status()).to.equal(200);
  });
});
