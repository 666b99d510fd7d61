/** A process that serves nobody speaks to sessions: a webhook, a worker. Its words and its questions reach the client. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ClientError, createFleet, RequestTimeout, SessionGone } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { isRequest } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { RawSseSession } from '../support/raw-sse-client.js';
import { numbersOf, type StreamSuite, sendNumber, upTo } from './stream-suite.js';

const QUESTION = { message: 'Go on?', requestedSchema: { type: 'object', properties: {} } };
const ANSWER = { action: 'accept', content: { word: 'yes' } };
const CAPABILITIES = { elicitation: {} };

const failureOf = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    return new Error(`it did not fail: ${JSON.stringify(await promise)}`);
  } catch (error) {
    return error as Error;
  }
};

export const webhooks: StreamSuite = (fleet, worker) => {
  it('asks on the main stream and gets the answer that was posted to another node', async () => {
    const session = await RawSession.open(fleet(), { capabilities: CAPABILITIES });
    const stream = await session.stream({ node: 0 });
    const answer = worker().session(session.id).request('elicitation/create', QUESTION);
    const asked = await stream.waitFor(isRequest, 'the question');
    expect([asked.method, asked.params]).to.deep.equal(['elicitation/create', QUESTION]);
    await session.reply(asked, { result: ANSWER }, { node: 1 });
    expect(await answer).to.deep.equal(ANSWER);
    stream.close();
  });

  it('gets what it asked for and not what its neighbour did', async () => {
    const neighbour = await createFleet({ redisUrl: fleet().redis.url, logLevel: 'silent' });
    const session = await RawSession.open(fleet(), { capabilities: CAPABILITIES });
    const stream = await session.stream({ node: 2 });
    const ask = (fleetOf: ReturnType<typeof worker>, message: string) =>
      fleetOf.session(session.id).request('elicitation/create', { ...QUESTION, message });
    const messages = upTo(10).map((i) => `question ${i}`);
    const answers = messages.map((message, i) => ask(i % 2 === 0 ? worker() : neighbour, message));
    const questions = await stream.waitForMany(isRequest, messages.length, 'questions');
    await Promise.all(
      questions
        .reverse()
        .map((asked, i) =>
          session.reply(asked, { result: { ...ANSWER, content: { to: asked.params.message } } }, { node: i % 3 }),
        ),
    );
    const contents = (await Promise.all(answers)).map(({ content }) => content);
    expect(contents).to.deep.equal(messages.map((to) => ({ to })));
    stream.close();
    await neighbour.close();
  });

  it("turns the client's error into ClientError", async () => {
    const session = await RawSession.open(fleet(), { capabilities: CAPABILITIES });
    const stream = await session.stream();
    const failure = failureOf(worker().session(session.id).request('elicitation/create', QUESTION));
    const error = { code: -32001, message: 'not now', data: { why: 'busy' } };
    await session.reply(await stream.waitFor(isRequest, 'the question'), { error });
    expect(await failure)
      .to.be.instanceOf(ClientError)
      .and.deep.include(error);
    stream.close();
  });

  it('gives up in time, tells the client so, and drops the answer that comes too late', async () => {
    const session = await RawSession.open(fleet(), { capabilities: CAPABILITIES });
    const stream = await session.stream();
    const failure = await failureOf(
      worker().session(session.id).request('elicitation/create', QUESTION, { timeoutMs: 100 }),
    );
    expect(failure).to.be.instanceOf(RequestTimeout);
    const asked = await stream.waitFor(isRequest, 'the question');
    const cancelled = await stream.waitFor(({ method }) => method === 'notifications/cancelled', 'the cancellation');
    expect(cancelled.params.requestId).to.equal(asked.id);
    await session.reply(asked, { result: ANSWER });
    stream.close();
  });

  it('says of a session that is not there that it is gone', async () => {
    const deleted = await RawSession.open(fleet());
    await (await deleted.delete()).text();
    for (const id of [deleted.id, randomUUID(), 'not-a-session']) {
      const { notify, request } = worker().session(id);
      expect(await failureOf(notify('notifications/message')), id).to.be.instanceOf(SessionGone);
      expect(await failureOf(request('ping')), id).to.be.instanceOf(SessionGone);
      expect(await fleet().inspect.keys(`*${id}*`)).to.deep.equal([]);
    }
  });

  it('is heard, once, by a client whose stream was away', async () => {
    const session = await RawSession.open(fleet());
    for (const number of [0, 1]) await sendNumber(worker(), session.id, number);
    const heard: number[] = [];
    for (const last of [2, 3]) {
      const stream = await session.stream({ node: last % 3 });
      await sendNumber(worker(), session.id, last);
      await stream.waitFor((message) => numbersOf([message])[0] === last, `number ${last}`);
      heard.push(...numbersOf(stream.messages));
      stream.close();
      await stream.ended;
    }
    expect(heard).to.deep.equal(upTo(4));
  });

  it('is heard and answered over HTTP+SSE, also by a client that has to come back first', async () => {
    const session = await RawSseSession.open(fleet(), { node: 0, capabilities: CAPABILITIES });
    session.stream.close();
    // Until the fleet has noticed, what is sent goes to the connection that is closing.
    const knock = () => session.post({ jsonrpc: '2.0', id: 'knock', method: 'ping' });
    await eventually(() =>
      knock().then(
        () => false,
        () => true,
      ),
    );
    await sendNumber(worker(), session.id, 0);
    const answer = worker().session(session.id).request('elicitation/create', QUESTION);
    await session.reconnect({ node: 1 });
    const asked = await session.asked('elicitation/create');
    await session.post({ jsonrpc: '2.0', id: asked.id, result: ANSWER }, { node: 2 });
    expect(await answer).to.deep.equal(ANSWER);
    expect(numbersOf(session.stream.messages)).to.deep.equal([0]);
    session.stream.close();
  });
};
