/** Answers as JSON or as a stream, and the standalone stream: form on the wire, one node or many. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { isResponse, NEWEST_REVISION, type RpcMessage, textOf } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';
import type { HttpSuite } from './target.js';

/** Longer than STREAM_UPGRADE_MS, so that the answer has to be a stream. */
const SLOW = { ms: 600, steps: 3 };
/** What breaks naive framing: line ends, separators that JSON allows raw, and a line that looks like a field. */
const AWKWARD = 'a\nb\r\nc\u2028d\u2029e\ndata: forged\n\nid: 1\n\u0000\u{1F600}';

function expectStreamHeaders(response: RawResponse): void {
  expect(response.headers['content-type']).to.match(/^text\/event-stream/);
  expect(response.headers['cache-control']).to.match(/no-cache|no-store/);
  expect(response.headers['x-accel-buffering']).to.equal('no');
}

export const streams: HttpSuite = (target) => {
  it('answers a quick call as JSON', async () => {
    const session = await RawSession.open(target());
    const call = await session.startTool('echo', { text: AWKWARD });
    expect(call.response.headers['content-type']).to.match(/^application\/json/);
    expect(textOf(await call.answer())).to.equal(AWKWARD);
  });

  it('answers a slow call as a stream: priming event, progress in order, the answer, the end', async () => {
    const session = await RawSession.open(target());
    const call = await session.startTool('slow', SLOW, { progressToken: 'p' });
    expectStreamHeaders(call.response);
    const answer = await call.answer();
    expect(answer.result, JSON.stringify(answer)).to.be.an('object');
    expect(await call.response.untilEnd()).to.equal(true);

    const [first] = call.response.events;
    expect(first?.data).to.equal('');
    const { messages, events } = call.response;
    expect(messages.at(-1)?.id).to.equal(call.requestId);
    const progress = messages.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params);
    expect(progress).to.have.lengthOf(SLOW.steps);
    expect(progress.map(({ progressToken }) => progressToken)).to.deep.equal(['p', 'p', 'p']);
    const values: number[] = progress.map((params) => params.progress);
    expect(values).to.deep.equal([...new Set(values)].sort((a, b) => a - b));

    const ids = events.filter(({ data }) => data !== undefined).map(({ id }) => id);
    expect(ids).to.not.include(undefined);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const id of ids) expect(id).to.match(/^[\x21-\x7e]{1,200}$/);
  });

  it('sends the priming event at once, not with the first message', async () => {
    const session = await RawSession.open(target());
    const call = await session.startTool('slow', { ms: 3000, steps: 1 });
    const first = await call.response.waitForEvent(() => true, 'first event', 2500);
    expect([typeof first.id, first.data]).to.deep.equal(['string', '']);
    call.response.close();
  });

  it('spares clients older than 2025-11-25 the empty event', async () => {
    for (const revision of ['2025-03-26', '2025-06-18']) {
      const session = await RawSession.open(target(), { revision });
      const call = await session.startTool('slow', SLOW, { progressToken: 1 });
      await call.answer();
      const datas = call.response.events.map(({ data }) => data).filter((data) => data !== undefined);
      expect(datas, revision).to.not.include('');
    }
  });

  it('sends no progress to a call that gave no token', async () => {
    const session = await RawSession.open(target());
    const call = await session.startTool('slow', SLOW);
    await call.answer();
    expect(call.response.messages.filter(({ method }) => method === 'notifications/progress')).to.deep.equal([]);
  });

  it('keeps awkward and large text whole', async () => {
    const session = await RawSession.open(target());
    const large = `${AWKWARD}${'é'.repeat(200_000)}`;
    expect(textOf(await session.callTool('echo', { text: large }))).to.equal(large);
  });

  it('opens the standalone stream, which carries no answers of calls', async () => {
    const session = await RawSession.open(target());
    const stream = await session.stream();
    expectStreamHeaders(stream);
    await session.callTool('echo', { text: 'x' });
    const call = await session.startTool('slow', SLOW, { progressToken: 'p' });
    await call.answer();
    await session.callTool('mutate', { kind: 'tools' });
    await stream.waitFor(({ method }) => method === 'notifications/tools/list_changed', 'list_changed');
    expect(stream.messages.filter(isResponse)).to.deep.equal([]);
    expect(stream.messages.filter(({ method }) => method === 'notifications/progress')).to.deep.equal([]);
    stream.close();
  });

  it('lets a client close and reopen the standalone stream as often as it likes', async () => {
    const session = await RawSession.open(target());
    for (let round = 0; round < 20; round++) {
      const stream = await session.stream();
      stream.close();
    }
    const last = await session.stream();
    await session.callTool('mutate', { kind: 'prompts' });
    await last.waitFor(({ method }) => method === 'notifications/prompts/list_changed', 'list_changed');
    last.close();
  });

  it('keeps the call running when its connection is lost, and gives the rest to a GET with the last event id', async () => {
    const session = await RawSession.open(target(), { revision: NEWEST_REVISION });
    const call = await session.startTool('slow', { ms: 1200, steps: 4 }, { progressToken: 'p' });
    const isProgress = ({ method }: RpcMessage): boolean => method === 'notifications/progress';
    const seen = await call.response.waitFor(isProgress, 'first progress');
    const last = call.response.events.at(-1)?.id;
    const before = call.response.messages.filter(isProgress).length;
    call.response.close();
    const rest = await session.stream({ lastEventId: last ?? '' });
    const answer = await rest.waitFor((m) => isResponse(m) && m.id === call.requestId, 'the answer');
    expect(answer.result, JSON.stringify(answer)).to.be.an('object');
    await eventually(() => rest.isOver, { what: 'end of the resumed stream' });
    const progress = rest.messages.filter(isProgress);
    expect(progress.length + before, 'no gap, nothing twice').to.equal(4);
    expect(progress[0]?.params.progress).to.be.greaterThan(seen.params.progress);
  });
};
