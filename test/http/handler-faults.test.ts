/**
 * What handlers and modules do wrong costs nobody but themselves: the call is answered, the node lives, and refusals name
 * the request.
 */
import { expect } from 'chai';
import { eventually, within } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { request } from '../support/json-rpc.js';
import { type NodeProcess, runToExit, startNode } from '../support/node-process.js';
import { postMcp, RawSession, type Target } from '../support/raw-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';

const MODULE = 'test/support/servers/faulty.mjs';
const alone = ({ url }: NodeProcess): Target => ({ url, nodeUrls: [url] });

describe('a handler that', () => {
  let node: NodeProcess;
  before(async () => {
    node = await startNode({ MCP_SERVER: MODULE });
  });
  after(() => node?.stop());

  const call = async (name: string) => {
    const session = await RawSession.open(alone(node));
    return within(session.request('tools/call', { name, arguments: {} }), `an answer to ${name}`);
  };

  for (const name of ['circular', 'bigint']) {
    it(`returns what is no JSON (${name}) has its call answered with an error`, async () => {
      expect((await call(name)).error?.code).to.equal(-32603);
    });
  }

  it('notifies of what is no JSON is told so itself, and the store is not blamed', async () => {
    const { result, error } = await call('bigint_notification');
    expect(error).to.equal(undefined);
    expect(result?.isError).to.equal(true);
  });

  it('closes its own server leaves nobody waiting', async () => {
    expect((await call('closes_itself')).error?.code).to.equal(-32603);
  });

  it('throws when nobody is looking does not end the node', async () => {
    expect((await call('throws_later')).error).to.equal(undefined);
    await eventually(() => node.log.some(({ msg }) => msg === 'uncaught exception'));
    expect((await call('throws_later')).error).to.equal(undefined);
  });
});

describe('a module that', () => {
  it('rejects while it is loaded is told together with what else is wrong', async () => {
    const { code, raw } = await runToExit({ PORT: 'abc', MCP_SERVER: 'test/support/servers/rejecting.mjs' });
    expect(code).to.equal(78);
    expect(raw.filter((line) => line.includes('PORT'))).to.have.lengthOf(1);
    expect(raw.filter((line) => line.includes('MCP_SERVER'))).to.have.lengthOf(1);
  });
});

describe('a request that finds the store away', () => {
  let redis: RedisServer;
  let node: NodeProcess;
  before(async () => {
    redis = await startRedis();
    node = await startNode({ REDIS_URL: redis.url, MCP_SERVER: MODULE });
  });
  after(async () => {
    await node?.stop();
    await redis?.stop();
  });

  it('is refused under its own id', async () => {
    const session = await RawSession.open(alone(node));
    await redis.stop();
    await expectRpcError(
      await postMcp(alone(node), request(71, 'ping'), { headers: session.headers() }),
      503,
      undefined,
      71,
    );
  });
});
