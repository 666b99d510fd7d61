/** What belongs to a call comes on the call's own stream, wherever its settings were made. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import type { RpcMessage } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { type ClusterSuite, flush, probe } from './probe-fleet.js';

const isProgress = ({ method }: RpcMessage): boolean => method === 'notifications/progress';
const isLog = ({ method }: RpcMessage): boolean => method === 'notifications/message';

export const progressAndLogs: ClusterSuite = (fleet) => {
  const levelsOf = async (session: RawSession, node: number): Promise<string[]> => {
    const call = await session.startTool('log_levels', {}, { node });
    await call.answer();
    return call.response.messages.filter(isLog).map(({ params }) => params.level);
  };

  it('come on the stream of their call and on no other', async () => {
    const session = await RawSession.open(fleet());
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
    const sessions = await Promise.all([RawSession.open(fleet()), RawSession.open(fleet())]);
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
    const session = await RawSession.open(fleet());
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
    const session = await RawSession.open(fleet());
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
    const [a, b] = await Promise.all([RawSession.open(fleet()), RawSession.open(fleet())]);
    const wrong = await a.request('logging/setLevel', { level: 'loud' });
    expect(wrong.error?.code).to.equal(-32602);
    await a.request('logging/setLevel', { level: 'critical' }, { node: 0 });
    expect(await levelsOf(b, 0)).to.have.lengthOf(8);
    expect(await levelsOf(a, 2)).to.deep.equal(['critical', 'alert', 'emergency']);
  });
};
