/** A client takes a request back at a node that does not run it. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { isResponse } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import { type ClusterSuite, probe, untilRunning } from './probe-fleet.js';

export const cancellation: ClusterSuite = (fleet) => {
  it('stops the call on its node, and no answer is sent', async () => {
    const session = await RawSession.open(fleet());
    const call = await session.startTool('wait_for', { key: 'k' }, { node: 0, id: 77 });
    await untilRunning(session, 'k', { node: 1 });
    await session.notify('notifications/cancelled', { requestId: 77, reason: 'enough' }, { node: 2 });
    await eventually(async () => {
      const { value } = await probe(session, 'recall', { key: 'k:cancelled' }, { node: 1 });
      expect(value).to.equal(1);
    });
    await call.response.untilEnd();
    expect(call.response.messages.filter(isResponse)).to.deep.equal([]);
  });

  it('tells 77 from "77", and one session from another', async () => {
    const [a, b] = await Promise.all([RawSession.open(fleet()), RawSession.open(fleet())]);
    const number = await a.startTool('wait_for', { key: 'n' }, { node: 0, id: 77 });
    const string = await a.startTool('wait_for', { key: 's' }, { node: 1, id: '77' });
    const other = await b.startTool('wait_for', { key: 'n' }, { node: 0, id: '77' });
    await Promise.all([untilRunning(a, 'n'), untilRunning(a, 's'), untilRunning(b, 'n')]);
    await a.notify('notifications/cancelled', { requestId: '77' }, { node: 2 });
    // The cancelled one ends: had the others been hit, it was by now.
    await string.response.untilEnd();
    await probe(a, 'remember', { key: 'n', value: 'still here' });
    await probe(b, 'remember', { key: 'n', value: 'here too' });
    expect((await number.answer()).result.content[0].text).to.include('still here');
    expect((await other.answer()).result.content[0].text).to.include('here too');
  });

  it('of what is over or never was is accepted and changes nothing', async () => {
    const session = await RawSession.open(fleet());
    await session.callTool('self', {}, { id: 1 });
    for (const requestId of [1, 'never', 'init', null, {}]) {
      await session.notify('notifications/cancelled', { requestId }, { node: 1 });
    }
    expect(await session.status()).to.equal(200);
  });
};
