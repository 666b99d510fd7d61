/** Session ids on the wire: missing, unknown, malformed, ended; and that refused input leaves nothing behind. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectRpcError, expectSessionNotFound } from '../support/expectations.js';
import { initialize, notification, request } from '../support/json-rpc.js';
import { postMcp, RawSession } from '../support/raw-client.js';
import { type RawResponse, send } from '../support/raw-http.js';
import type { HttpSuite } from './target.js';

const ANSWER = { jsonrpc: '2.0', id: 'x', result: {} };

/** None of these has the form of an id; some would be other keys, patterns or commands if they got through. */
const MALFORMED = [
  'abc',
  '*',
  '1',
  '..%2f..%2fetc',
  'session:1',
  '{session}',
  `${randomUUID()}x`,
  ` x${randomUUID()}`,
  randomUUID().replaceAll('-', ''),
  `${randomUUID()},${randomUUID()}`,
  'x'.repeat(6000),
];

export const sessions: HttpSuite = (target) => {
  const get = (headers: Record<string, string>): Promise<RawResponse> =>
    send(`${target().url}/mcp`, { headers: { Accept: 'text/event-stream', ...headers } });
  const del = (headers: Record<string, string>): Promise<RawResponse> =>
    send(`${target().url}/mcp`, { method: 'DELETE', headers });

  it('wants a session id on everything but initialize', async () => {
    await expectRpcError(await postMcp(target(), request(5, 'tools/list')), 400, -32000, 5);
    await expectRpcError(await postMcp(target(), notification('notifications/initialized')), 400, -32000, null);
    await expectRpcError(await postMcp(target(), ANSWER), 400, -32000);
    await expectRpcError(await get({}), 400, -32000, null);
    await expectRpcError(await del({}), 400, -32000, null);
  });

  it('gives one and the same 404 for a session that never was and for one that ended', async () => {
    const ended = await RawSession.open(target());
    const gone = await ended.delete();
    expect(gone.status, await gone.text()).to.be.within(200, 299);
    for (const id of [ended.id, randomUUID()]) {
      const headers = { 'Mcp-Session-Id': id };
      await expectSessionNotFound(await postMcp(target(), request(5, 'tools/list'), { headers }), 5);
      await expectSessionNotFound(await postMcp(target(), notification('notifications/initialized'), { headers }));
      await expectRpcError(await postMcp(target(), ANSWER, { headers }), 404, -32001);
      await expectSessionNotFound(await get(headers));
      await expectSessionNotFound(await del(headers));
    }
  });

  it('lets a client start over after a 404', async () => {
    const first = await RawSession.open(target());
    await (await first.delete()).text();
    const second = await RawSession.open(target());
    expect(second.id).to.not.equal(first.id);
    expect(await second.status()).to.equal(200);
  });

  it('refuses ids that are no UUID', async () => {
    for (const id of MALFORMED) {
      const response = await postMcp(target(), request(5, 'ping'), { headers: { 'Mcp-Session-Id': id } });
      await expectRpcError(response, response.status === 400 ? 400 : 404, [-32000, -32001], 5);
    }
  });

  it('puts no session id on an answer that is an error', async () => {
    const responses = [
      await postMcp(target(), request(5, 'tools/list')),
      await postMcp(target(), request(5, 'ping'), { headers: { 'Mcp-Session-Id': randomUUID() } }),
      await postMcp(target(), [initialize('2025-11-25')]),
    ];
    for (const response of responses) expect(response.headers).to.not.have.property('mcp-session-id');
  });

  it('stores nothing for input that it refuses', async () => {
    const active = async (): Promise<number> => {
      const response = await fetch(`${target().url}/health`);
      return ((await response.json()) as { activeSessions: number }).activeSessions;
    };
    const [keys, count] = [await target().storedKeys(), await active()];
    for (const id of [...MALFORMED, randomUUID()]) {
      const headers = { 'Mcp-Session-Id': id };
      await (await postMcp(target(), request(5, 'ping'), { headers })).text();
      await (await get(headers)).text();
      await (await del(headers)).text();
      const path = `/messages?sessionId=${encodeURIComponent(id)}`;
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(request(1, 'ping')),
      };
      await (await send(`${target().url}${path}`, init)).text();
      await (await send(`${target().url}/sse?sessionId=${encodeURIComponent(id)}`)).text();
    }
    for (const message of [{}, [], 'x', request(1, 'initialize', {}), [initialize('2025-03-26')]]) {
      await (await postMcp(target(), message)).text();
    }
    expect(await active()).to.equal(count);
    // Keys of the nodes themselves come and go; those of a session would stay.
    await eventually(async () => {
      expect((await target().storedKeys()).filter((key) => !keys.includes(key))).to.deep.equal([]);
    });
  });
};
