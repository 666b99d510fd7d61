/** What one message can make the fleet keep, or tell all its nodes, is bounded whatever the bound on bodies. */
import { expect } from 'chai';
import { MAX_SUBSCRIPTIONS } from '../../src/core/ports/session-store.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { initialize, NEWEST_REVISION, notification, request } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import { postMessage, RawSseSession } from '../support/raw-sse-client.js';

const MEGABYTE = 'x'.repeat(1024 * 1024);

describe('a message of a megabyte', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({ nodes: 2 });
  });
  after(() => fleet?.stop());

  it('opens no session, on either transport', async () => {
    const handshake = initialize(NEWEST_REVISION) as { params: { clientInfo: object } };
    handshake.params.clientInfo = { name: 'large', version: '1', title: MEGABYTE };
    await expectRpcError(await postMcp(fleet, handshake), 400, -32602, 'init');
    const { endpoint } = await RawSseSession.connect(fleet);
    await expectRpcError(await postMessage(fleet, endpoint, handshake), 400, -32602, 'init');
    handshake.params.clientInfo = {
      name: 'icon',
      version: '1',
      icons: [{ src: `data:,${MEGABYTE.slice(0, 60_000)}` }],
    };
    expect((await postMcp(fleet, handshake)).status).to.equal(200);
  });

  it('is no id, token or cancellation', async () => {
    const session = await RawSession.open(fleet);
    await expectRpcError(await session.post(request(MEGABYTE, 'ping')), 400, -32600);
    const token = { _meta: { progressToken: MEGABYTE } };
    await expectRpcError(await session.post(request(1, 'tools/list', token)), 400, -32600);
    await session.accepted(notification('notifications/cancelled', { requestId: MEGABYTE, reason: MEGABYTE }));
    expect((await session.request('ping', {}, { id: 'i'.repeat(1024) })).result).to.deep.equal({});
  });

  it('is no subscription, and small ones are bounded in number', async () => {
    const session = await RawSession.open(fleet, { revision: '2025-03-26' });
    const subscribe = async (uri: string) => session.request('resources/subscribe', { uri });
    expect((await subscribe(`test://${MEGABYTE}`)).error?.code).to.equal(-32602);
    for (let from = 0; from < MAX_SUBSCRIPTIONS; from += 100) {
      const uris = Array.from({ length: 100 }, (_, i) => `test://${from + i}`);
      const batch = uris.map((uri) => request(uri, 'resources/subscribe', { uri }));
      const answers = (await (await session.post(batch)).json()) as unknown as { error?: object }[];
      expect(answers.filter(({ error }) => error)).to.deep.equal([]);
    }
    expect((await subscribe('test://one more')).error?.message).to.include('limit');
    expect((await subscribe('test://0')).result).to.deep.equal({});
    await session.request('resources/unsubscribe', { uri: 'test://1' });
    expect((await subscribe('test://one more')).result).to.deep.equal({});
  });
});
