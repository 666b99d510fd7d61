/**
 * What one session may know of another's streams and requests is nothing: their ids are, in its hands, as good as ids
 * that never were.
 *
 * Not here: sessions of other principals, whose ids themselves are not found.
 */
import { expect } from 'chai';
import { type RpcMessage, textOf } from '../support/json-rpc.js';
import { type Exchange, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import { numbersOf, type StreamSuite, sendNumber } from './stream-suite.js';

const SECRET = 'known to the owner only';

export const borders: StreamSuite = (fleet, worker) => {
  let owner: RawSession;
  let stranger: RawSession;
  beforeEach(async () => {
    const capabilities = { elicitation: {} };
    [owner, stranger] = await Promise.all([RawSession.open(fleet(), { capabilities }), RawSession.open(fleet())]);
  });

  const resumed = (session: RawSession, node: number, lastEventId: string): Promise<RawResponse> =>
    send(`${fleet().nodeUrls[node]}/mcp`, {
      headers: session.headers({ Accept: 'text/event-stream', 'Last-Event-ID': lastEventId }),
    });
  /** The same form, the same length, another name. */
  const forged = (id: string): string => id.replace(/^[^.]+/, (name) => [...name].reverse().join(''));

  const outcome = async (response: RawResponse): Promise<object> => ({
    status: response.status,
    type: response.headers['content-type'],
    text: (await response.text()).replaceAll(/"streamId":"[^"]+"/g, ''),
  });

  it("says of an event of another's call what it says of one that never was", async () => {
    const call = await owner.startTool('slow', { ms: 300, steps: 3 }, { progressToken: SECRET });
    await call.answer();
    const ids = call.response.events.flatMap(({ id }) => id ?? []);
    for (const [i, id] of ids.entries()) {
      const theirs = await outcome(await resumed(stranger, i % 3, id));
      expect(theirs).to.deep.equal(await outcome(await resumed(stranger, i % 3, forged(id))));
      expect(JSON.stringify(theirs)).to.not.include(SECRET);
    }
    const own = await resumed(owner, 1, ids[0] ?? '');
    expect(await own.text(), 'its owner still gets it').to.include(SECRET);
  });

  it("gives nothing for an event of another's main stream but what is one's own", async () => {
    const stream = await owner.stream();
    for (const number of [0, 1, 2]) await sendNumber(worker(), owner.id, number, SECRET);
    await stream.waitFor((message) => numbersOf([message])[0] === 2, 'the numbers');
    stream.close();
    const [first] = stream.events.flatMap(({ id }) => id ?? []);
    for (const node of [0, 1, 2]) {
      const theirs = await resumed(stranger, node, first ?? '');
      expect(theirs.status).to.equal(200);
      await sendNumber(worker(), stranger.id, 10 + node);
      await theirs.waitFor((message) => numbersOf([message])[0] === 10 + node, 'its own message');
      expect(numbersOf(theirs.messages).filter((number) => number < 10)).to.deep.equal([]);
      theirs.close();
      await theirs.ended;
    }
  });

  it("takes a stranger's answer, progress and cancellation like those to nothing, and the call goes on", async () => {
    const call: Exchange = await owner.startTool('ask_form', {}, { node: 0 });
    const asked: RpcMessage = await call.asked('elicitation/create');
    const wireId = String(asked.id);
    const result = { action: 'accept', content: { colour: 'a stranger’s' } };
    for (const [i, id] of [wireId, forged(wireId)].entries()) {
      const hop = { node: i };
      await stranger.accepted({ jsonrpc: '2.0', id, result }, hop);
      await stranger.accepted({ jsonrpc: '2.0', id, error: { code: -1, message: 'no' } }, hop);
      await stranger.notify('notifications/progress', { progressToken: id, progress: 1 }, hop);
      await stranger.notify('notifications/cancelled', { requestId: call.requestId }, hop);
      await stranger.notify('notifications/cancelled', { requestId: id }, hop);
    }
    await owner.reply(asked, { result: { action: 'accept', content: { colour: 'its own' } } }, { node: 2 });
    expect(textOf(await call.answer()))
      .to.include('its own')
      .and.not.include('stranger');
  });

  it("does not let a stranger answer a worker's question", async () => {
    const stream = await owner.stream();
    const answer = worker().session(owner.id).request('elicitation/create', { message: '?', requestedSchema: {} });
    const asked = await stream.waitFor(({ method }) => method === 'elicitation/create', 'the question');
    await stranger.accepted({ jsonrpc: '2.0', id: asked.id, result: { action: 'decline' } });
    await owner.reply(asked, { result: { action: 'accept' } });
    expect(await answer).to.deep.equal({ action: 'accept' });
    stream.close();
  });
};
