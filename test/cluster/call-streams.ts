/** The stream of a call outlives its connection: any node gives the rest of it, to its own session only. */
import { expect } from 'chai';
import type { RpcMessage } from '../support/json-rpc.js';
import { type Exchange, RawSession } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { type ClusterSuite, flush, probe } from './probe-fleet.js';

export const callStreams: ClusterSuite = (fleet) => {
  const primed = async (session: RawSession, key: string, node: number): Promise<[Exchange, string]> => {
    const call = await session.startTool('wait_for', { key }, { node });
    const first = await call.response.waitForEvent(({ id }) => id !== undefined, 'an event with an id');
    return [call, first.id ?? ''];
  };
  const isAnswerTo = (call: Exchange) => (message: RpcMessage) =>
    message.id === call.requestId && message.method === undefined;

  it('go on at another node when the client reconnects there, while the call still runs', async () => {
    const session = await RawSession.open(fleet());
    const [call, id] = await primed(session, 'go', 0);
    call.response.close();
    const rest = await session.stream({ node: 1, lastEventId: id });
    await probe(session, 'remember', { key: 'go', value: 'done' }, { node: 2 });
    const answer = await rest.waitFor(isAnswerTo(call), 'the answer');
    expect(answer.result.content[0].text).to.include('done');
    expect(await rest.untilEnd()).to.equal(true);
    expect(rest.messages.filter(isAnswerTo(call))).to.have.lengthOf(1);
  });

  it('can be read again when the call is over, from any node, and end there', async () => {
    const session = await RawSession.open(fleet());
    const [call, id] = await primed(session, 'go', 0);
    await probe(session, 'remember', { key: 'go', value: 1 });
    await call.answer();
    for (const node of [1, 2]) {
      const again = await session.stream({ node, lastEventId: id });
      await again.waitFor(isAnswerTo(call), 'the answer');
      expect(await again.untilEnd()).to.equal(true);
    }
    const last = call.response.events.at(-1)?.id ?? '';
    const nothing = await session.stream({ node: 1, lastEventId: last });
    expect(await nothing.untilEnd()).to.equal(true);
    expect(nothing.messages).to.deep.equal([]);
  });

  it('tell nothing to another session that knows an event id', async () => {
    const [owner, stranger] = await Promise.all([RawSession.open(fleet()), RawSession.open(fleet())]);
    const [call, id] = await primed(owner, 'go', 0);
    await probe(owner, 'remember', { key: 'go', value: 'secret' });
    await call.answer();
    for (const node of [0, 1, 2]) {
      const headers = stranger.headers({ Accept: 'text/event-stream', 'Last-Event-ID': id });
      const response = await send(`${fleet().nodeUrls[node]}/mcp`, { headers });
      expect(response.status).to.be.lessThan(500);
      // Either it ends, or it is the stranger's own stream and carries only what is the stranger's.
      if (response.isStream) await Promise.race([response.ended, flush(stranger, response)]);
      response.close();
      expect(await response.text()).to.not.include('secret');
    }
    expect(await stranger.status()).to.equal(200);
  });
};
