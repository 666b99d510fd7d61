/** Two users, states that soon expire, and room for few subscriptions: what is one's own, and for how long. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { type RpcMessage, textOf } from '../support/json-rpc.js';
import { LISTEN, listen, toldOn } from './listening.js';
import { ASKABLE, ask, callTool, type ModernOptions } from './modern-client.js';

/** Long enough for two requests on a busy machine. */
const STATE_TTL_MS = 2000;
const MAX_LISTEN_STREAMS = 2;
/** Over both nodes. */
const MAX_PER_USER = 3;

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
const ADA = bearer('token-of-ada-7d1f');
const ADA_TOO = bearer('second-token-of-ada-93c2');
const BOB = bearer('token-of-bob-55aa');

const TOOL = 'test_input_required_result_request_state';
const inputResponses = { confirm: { action: 'accept', content: { ok: true } } };

/** Ways to send back something else than what was given out. */
function spoilings(other: string): Record<string, (state: string) => unknown> {
  const parted = (put: (version: string, payload: string, tag: string) => string[]) => (state: string) =>
    put(...(state.split('.') as [string, string, string])).join('.');
  const longLived = (payload: string): string => {
    const decoded = Buffer.from(payload, 'base64url').toString();
    return Buffer.from(decoded.replace(/"exp":\d+/, '"exp":9999999999')).toString('base64url');
  };
  return {
    'something behind it': (state) => `${state}-TAMPERED`,
    'something before it': (state) => `x${state}`,
    'a longer life': parted((version, payload, tag) => [version, longLived(payload), tag]),
    'no tag': parted((version, payload) => [version, payload, '']),
    'half a tag': parted((version, payload, tag) => [version, payload, tag.slice(0, 20)]),
    'the tag of another': parted((version, payload) => [version, payload, other.split('.')[2] ?? '']),
    'another version': parted((_, payload, tag) => ['v2', payload, tag]),
    garbage: () => 'garbage',
    'no text': () => 'v1.\u0000.\u{1F600}',
    'very much': () => 'A'.repeat(200_000),
    'a number': () => 7,
    'an object': () => ({ p: {} }),
    null: () => null,
  };
}

describe('two users in the modern era', () => {
  let fleet: Fleet;
  before(async () => {
    const AUTH_TOKENS = 'ada:token-of-ada-7d1f,ada:second-token-of-ada-93c2,bob:token-of-bob-55aa';
    const limits = {
      STATE_TTL_MS: `${STATE_TTL_MS}`,
      MAX_LISTEN_STREAMS: `${MAX_LISTEN_STREAMS}`,
      MAX_LISTEN_STREAMS_PER_USER: `${MAX_PER_USER}`,
    };
    fleet = await startFleet({ nodes: 2, env: { MCP_SERVER: 'everything', AUTH_TOKENS, ...limits } });
  });
  after(() => fleet?.stop());

  const firstRound = async (options: ModernOptions): Promise<string> =>
    (await callTool(fleet, TOOL, {}, { capabilities: ASKABLE, ...options })).result.requestState;
  const secondRound = (requestState: unknown, options: ModernOptions): Promise<RpcMessage> =>
    callTool(fleet, TOOL, {}, { capabilities: ASKABLE, ...options, more: { requestState, inputResponses } });
  const expectRefused = ({ error, result }: RpcMessage, what: string): void => {
    expect([result, error?.code], what).to.deep.equal([undefined, -32602]);
    expect(JSON.stringify(error), what).to.not.match(/hmac|signature|secret|expired at/i);
  };

  it('nobody is served without a token, whatever the envelope says', async () => {
    for (const headers of [{}, bearer('token-of-eve').headers]) {
      for (const method of ['server/discover', 'tools/list', LISTEN]) {
        const response = await ask(fleet, method, { notifications: { toolsListChanged: true } }, { headers });
        await expectRpcError(response, 401);
        expect(response.headers['www-authenticate']).to.match(/^Bearer/);
      }
    }
    expect(textOf(await callTool(fleet, 'whoami', {}, BOB))).to.equal('bob');
  });

  it('a state is good for who was given it, on any node and with any token of theirs', async () => {
    for (const options of [ADA, ADA_TOO]) {
      const state = await firstRound({ ...ADA, node: 0 });
      expect(textOf(await secondRound(state, { ...options, node: 1 }))).to.equal('state-ok: true');
    }
    const state = await firstRound({ ...ADA, node: 0 });
    for (const node of [0, 1]) expectRefused(await secondRound(state, { ...BOB, node }), `bob on node ${node}`);
    expect(textOf(await secondRound(state, { ...ADA, node: 1 })), 'still of ada').to.equal('state-ok: true');
  });

  it('a state that is not as it was given out is refused', async () => {
    const other = await firstRound(BOB);
    for (const [what, spoil] of Object.entries(spoilings(other))) {
      const state = await firstRound(ADA);
      for (const node of [0, 1]) expectRefused(await secondRound(spoil(state), { ...ADA, node }), what);
      expect(textOf(await secondRound(state, ADA)), `unspoilt, beside ${what}`).to.equal('state-ok: true');
    }
  });

  it('a state is refused when its time is over, and was good until then', async () => {
    const state = await firstRound({ ...ADA, node: 0 });
    expect(textOf(await secondRound(state, { ...ADA, node: 1 }))).to.equal('state-ok: true');
    await pause(STATE_TTL_MS);
    await eventually(async () => expectRefused(await secondRound(state, { ...ADA, node: 1 }), 'in time'), {
      deadlineMs: 2 * STATE_TTL_MS,
    });
    expectRefused(await secondRound(state, { ...ADA, node: 0 }), 'on the node that made it');
  });

  it(`a node holds ${MAX_LISTEN_STREAMS} subscriptions; one that is closed makes room`, async () => {
    const filter = { toolsListChanged: true };
    const streams = await Promise.all([ADA, BOB].map((user) => listen(fleet, filter, { ...user, node: 0 })));
    const tryOne = async () => {
      const response = await ask(fleet, LISTEN, { notifications: filter }, { ...ADA, node: 0, id: 'third' });
      if (response.isStream) return response;
      const { id, error } = await response.json();
      expect(response.status).to.not.be.oneOf([400, 404]);
      expect([id, typeof error?.code, error?.message]).to.deep.equal(['third', 'number', 'Subscription limit reached']);
      return undefined;
    };
    expect(await tryOne()).to.equal(undefined);
    const elsewhere = await listen(fleet, filter, { ...ADA, node: 1 });
    streams[0]?.close();
    const third = await eventually(async () => (await tryOne()) ?? false, { what: 'room for another' });
    await callTool(fleet, 'mutate', { kind: 'tools' }, ADA);
    await third.waitFor(({ method }) => method?.endsWith('list_changed') === true, 'the change');
    await callTool(fleet, 'touch', { uri: 'test://barrier' }, BOB);
    await streams[1]?.waitFor(({ params }) => params?.uri === 'test://barrier', 'the barrier');
    expect(toldOn(streams[1] as never)).to.deep.equal(['notifications/tools/list_changed']);
    for (const stream of [third, elsewhere, streams[1]]) stream?.close();
  });

  it(`a user holds ${MAX_PER_USER} in the whole fleet, with any token, and nobody pays for it but them`, async () => {
    const params = { notifications: { toolsListChanged: true } };
    const open = (user: ModernOptions, node: number) => ask(fleet, LISTEN, params, { ...user, node, id: 'one more' });
    /** A place comes free some time after its stream was closed. */
    const opened = (user: ModernOptions, node: number) =>
      eventually(async () => {
        const response = await open(user, node);
        return response.isStream ? response : false;
      });
    const own = [await opened(ADA, 0), await opened(ADA_TOO, 0), await opened(ADA, 1)];
    for (const user of [ADA, ADA_TOO]) {
      const refused = await open(user, 1);
      await expectRpcError(refused, 429, undefined, 'one more');
      expect(Number(refused.headers['retry-after'])).to.be.greaterThan(0);
    }
    const other = await opened(BOB, 1);
    for (const stream of [...own, other]) stream.close();
    (await opened(ADA, 1)).close();
  });
});
