/** Closing the connection of a modern call is its cancellation; of a legacy call it is nothing at all. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { expect } from 'chai';
import { size } from '../streams/scale.js';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { textOf } from '../support/json-rpc.js';
import { ACCEPT_BOTH, RawSession } from '../support/raw-client.js';
import { body, callTool, type ModernOptions, modernHeaders } from './modern-client.js';
import { inTurns, type ModernSuite } from './modern-suite.js';

/** Longer than any test waits: who sees the end of it has seen a call that was not cancelled. */
const LONG_MS = 30_000;
const SHORT_MS = 600;
/** Until a node has noticed that a connection is closed. */
const SOON_MS = 2500;
const CLOSED = size(12, 120);

/** What the server said of a call, on whichever node. */
const recorded = (fleet: Fleet, key: string): unknown[] =>
  fleet.nodes
    .flatMap(({ log }) => log.filter(({ msg, ...line }) => msg === 'recorded' && line.key === key))
    .map(({ became }) => became);

const untilRecorded = (fleet: Fleet, key: string, became: string): Promise<unknown> =>
  eventually(() => recorded(fleet, key).includes(became), { what: `${key} ${became}` });

/** Barrier: the node has begun, and said so, whatever it was sent before and would begin. */
async function passBarrier(fleet: Fleet, url: string): Promise<void> {
  const key = randomUUID();
  await callTool({ url, nodeUrls: [url] }, 'work', { key, ms: 0 });
  await untilRecorded(fleet, key, 'finished');
}

/** Sends a call and leaves the answer to come; `close` ends the connection. */
async function begin(url: string, key: string, ms: number, options: ModernOptions = {}) {
  const params = { name: 'work', arguments: { key, ms } };
  const headers = { 'Content-Type': 'application/json', Accept: ACCEPT_BOTH, ...modernHeaders('tools/call', params) };
  const outgoing = http.request(`${url}/mcp`, { method: 'POST', agent: false, headers });
  outgoing.on('error', () => {});
  outgoing.end(JSON.stringify(body('tools/call', params, options)));
  await once(outgoing, 'finish');
  return { close: () => void outgoing.destroy() };
}

export const disconnection: ModernSuite = (fleet) => {
  for (const [what, meta] of [
    ['one JSON body', {}],
    ['a stream', { progressToken: 1 }],
  ] as const) {
    it(`stops a call that would have been answered by ${what}, through the balancer`, async () => {
      const key = randomUUID();
      const call = await begin(fleet().url, key, LONG_MS, { meta });
      await untilRecorded(fleet(), key, 'started');
      call.close();
      await untilRecorded(fleet(), key, 'cancelled');
      expect(recorded(fleet(), key)).to.deep.equal(['started', 'cancelled']);
    });
  }

  it('stops no other call, of the same id, of either era', async () => {
    const session = await RawSession.open(fleet());
    const [mine, theirs, legacy] = [randomUUID(), randomUUID(), randomUUID()] as const;
    const url = fleet().nodeUrls[0] as string;
    const closed = await begin(url, mine, LONG_MS, { id: 7 });
    const other = callTool(fleet(), 'work', { key: theirs, ms: SHORT_MS }, { node: 0, id: 7 });
    const old = await session.startTool('work', { key: legacy, ms: SHORT_MS }, { node: 0, id: 7 });
    await untilRecorded(fleet(), mine, 'started');
    closed.close();
    await untilRecorded(fleet(), mine, 'cancelled');
    expect(textOf(await other)).to.equal('finished');
    expect(textOf(await old.answer())).to.equal('finished');
  });

  it('leaves a legacy call alone: it goes on to its end', async () => {
    const session = await RawSession.open(fleet());
    const key = randomUUID();
    const call = await session.startTool('work', { key, ms: SHORT_MS }, { progressToken: 1 });
    await untilRecorded(fleet(), key, 'started');
    call.response.close();
    await untilRecorded(fleet(), key, 'finished');
    expect(recorded(fleet(), key)).to.deep.equal(['started', 'finished']);
  });

  it(`stops ${CLOSED} calls that are closed soon after they were sent, as far as they were begun`, async () => {
    const keys = await inTurns(CLOSED, 4, async (turn) => {
      const key = randomUUID();
      const call = await begin(fleet().nodeUrls[turn % 3] as string, key, LONG_MS);
      await new Promise((resolve) => setTimeout(resolve, 4 * (turn % 12)));
      call.close();
      return key;
    });
    for (const { url } of fleet().nodes) await passBarrier(fleet(), url);
    const soon = { deadlineMs: SOON_MS };
    await eventually(() => {
      for (const key of keys) expect(recorded(fleet(), key)).to.be.deep.oneOf([[], ['started', 'cancelled']]);
    }, soon);
  });

  it('stops a call that is closed while its node still looks what its server can do', async () => {
    const key = randomUUID();
    const node = await fleet().addNode({ RECORDING_BUILD_MS: '300' });
    try {
      const call = await begin(node.url, key, LONG_MS);
      await eventually(() => node.log.some(({ msg }) => msg === 'building'), { what: 'a server that is built' });
      call.close();
      await passBarrier(fleet(), node.url);
      await eventually(() => expect(recorded(fleet(), key)).to.be.deep.oneOf([[], ['started', 'cancelled']]), {
        deadlineMs: SOON_MS,
      });
    } finally {
      await fleet().retire(node);
    }
  });
};
