/** Changes of lists and resources reach the standalone stream on whichever node it is, and exactly one stream. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { RawSession } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';
import { type ClusterSuite, flush, probe, updatesOf } from './probe-fleet.js';

const KINDS = ['tools', 'prompts', 'resources'];
const URI = 'test://watched';

const changesOf = (stream: RawResponse, kind: string): number =>
  stream.messages.filter(({ method }) => method === `notifications/${kind}/list_changed`).length;

export const changes: ClusterSuite = (fleet) => {
  it('reach a subscriber once: subscribed on one node, listening on another, changed on a third', async () => {
    const [subscriber, other] = await Promise.all([RawSession.open(fleet()), RawSession.open(fleet())]);
    const [stream, deaf] = await Promise.all([subscriber.stream({ node: 1 }), other.stream({ node: 1 })]);
    await subscriber.request('resources/subscribe', { uri: URI }, { node: 0 });
    await probe(subscriber, 'touch', { uri: URI }, { node: 2 });
    await stream.waitFor(({ params }) => params?.uri === URI, 'the update');
    await Promise.all([flush(subscriber, stream, { node: 2 }), flush(other, deaf, { node: 2 })]);
    expect(updatesOf(stream, URI)).to.have.lengthOf(1);
    expect(updatesOf(deaf, URI)).to.have.lengthOf(0);
    stream.close();
    deaf.close();
  });

  it('end with the unsubscription made on another node', async () => {
    const session = await RawSession.open(fleet());
    const stream = await session.stream({ node: 0 });
    await session.request('resources/subscribe', { uri: URI }, { node: 1 });
    await probe(session, 'touch', { uri: URI }, { node: 0 });
    await stream.waitFor(({ params }) => params?.uri === URI, 'the update');
    await session.request('resources/unsubscribe', { uri: URI }, { node: 2 });
    await probe(session, 'touch', { uri: URI }, { node: 0 });
    await flush(session, stream, { node: 1 });
    expect(updatesOf(stream, URI)).to.have.lengthOf(1);
    stream.close();
  });

  for (const kind of KINDS) {
    it(`of ${kind} reach the streams of all sessions, on every node, once`, async () => {
      const sessions = await Promise.all([0, 1, 2].map(() => RawSession.open(fleet())));
      const streams = await Promise.all(sessions.map((session, node) => session.stream({ node })));
      await probe(sessions[0] as RawSession, 'change', { kind }, { node: 2 });
      await Promise.all(
        streams.map((stream) => eventually(() => changesOf(stream, kind) > 0, { what: `${kind}/list_changed` })),
      );
      await Promise.all(sessions.map((session, i) => flush(session, streams[i] as RawResponse)));
      for (const stream of streams) {
        expect(changesOf(stream, kind)).to.equal(1);
        stream.close();
      }
    });
  }
};

export const standaloneStream: ClusterSuite = (fleet) => {
  it('is one, however many are open: the newest carries each message, an older one takes over', async () => {
    const session = await RawSession.open(fleet());
    await session.request('resources/subscribe', { uri: URI });
    const older = await session.stream({ node: 0 });
    const newer = await session.stream({ node: 1 });
    // Over a Cluster, word of the change can overtake word of the newer stream; then the older one tells, once, and rightly.
    const handedOver = async () =>
      (await fleet().inspect.hExists(`{session:${session.id}}:stream:main`, 'former')) === 0;
    await eventually(handedOver, { what: 'the older stream to have handed over' });
    await probe(session, 'touch', { uri: URI }, { node: 2 });
    await newer.waitFor(({ params }) => params?.uri === URI, 'the update on the newer stream');
    await flush(session, newer);
    expect([updatesOf(older, URI).length, updatesOf(newer, URI).length]).to.deep.equal([0, 1]);

    newer.close();
    const second = 'test://second';
    await session.request('resources/subscribe', { uri: second });
    await probe(session, 'touch', { uri: second }, { node: 2 });
    await older.waitFor(({ params }) => params?.uri === second, 'the update on the older stream');
    expect(updatesOf(older, URI), 'what the newer one had is not sent again').to.deep.equal([]);
    older.close();
  });

  it('gives to a GET with the last event id what was missed, once, on any node', async () => {
    const session = await RawSession.open(fleet());
    const uris = ['test://1', 'test://2', 'test://3'];
    for (const uri of [URI, ...uris]) await session.request('resources/subscribe', { uri });
    const first = await session.stream({ node: 0 });
    await probe(session, 'touch', { uri: URI });
    await first.waitFor(({ params }) => params?.uri === URI, 'the update');
    const last = first.events.findLast(({ id }) => id !== undefined)?.id ?? '';
    first.close();
    for (const [i, uri] of uris.entries()) await probe(session, 'touch', { uri }, { node: 1 + (i % 2) });
    const second = await session.stream({ node: 2, lastEventId: last });
    await eventually(() => uris.every((uri) => updatesOf(second, uri).length > 0), { what: 'what was missed' });
    await flush(session, second);
    expect([URI, ...uris].map((uri) => updatesOf(second, uri).length)).to.deep.equal([0, 1, 1, 1]);
    second.close();
  });

  it('opened later tells at most once of a list that changed often', async () => {
    const session = await RawSession.open(fleet());
    for (const node of [0, 1, 2, 0]) await probe(session, 'change', { kind: 'tools' }, { node });
    const stream = await session.stream({ node: 1 });
    await flush(session, stream);
    expect(changesOf(stream, 'tools')).to.be.at.most(1);
    stream.close();
  });

  it('is silent until the client has said that it is initialized, on another node', async () => {
    const [fresh, other] = await Promise.all([
      RawSession.open(fleet(), { initialized: false }),
      RawSession.open(fleet(), { initialized: true }),
    ]);
    const [silent, open] = await Promise.all([fresh.stream({ node: 0 }), other.stream({ node: 0 })]);
    await probe(other, 'change', { kind: 'tools' }, { node: 1 });
    await eventually(() => changesOf(open, 'tools') === 1);
    await flush(other, open);
    expect(silent.messages).to.deep.equal([]);
    await fresh.notify('notifications/initialized', undefined, { node: 2 });
    await probe(other, 'change', { kind: 'prompts' }, { node: 1 });
    await eventually(() => changesOf(silent, 'prompts') === 1, { what: 'changes after initialized' });
    silent.close();
    open.close();
  });
};
