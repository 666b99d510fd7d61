/** What the doctor finds in the fleet itself, and in its Redis, behind a balancer that spoils nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startBalancer } from '../../src/demo/balancer.js';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { startNode } from '../support/node-process.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { about, callDoctor, named } from './examination.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const TOKEN = 'a-token-that-nobody-may-see';
const QUICKLY = ['--watch', '1.6', '--timeout', '6', '--max-body', '65536'];

describe('anynode doctor and the fleet', () => {
  let fleet: Fleet;
  before(async () => {
    const env = { SSE_KEEPALIVE_MS: '700', MAX_BODY_BYTES: '65536', MCP_SERVER: 'demo', LOG_LEVEL: 'warn' };
    fleet = await startFleet({ env: { ...env, AUTH_TOKENS: `alice:${TOKEN}` } });
  });
  after(() => fleet?.stop());

  it('a sound fleet has no problems, its open metrics are pointed out, and no session of the doctor stays', async () => {
    const said = await callDoctor([`${fleet.url}/mcp`, ...QUICKLY, '--json', '--redis', fleet.redis.url], {
      ANYNODE_TOKEN: TOKEN,
    });
    expect(named(said, 'problem')).to.deep.equal([]);
    expect(said.code).to.equal(0);
    expect(about(said, 'metrics')).to.match(/^warning: .*OPS_PORT/);
    expect(about(said, 'spread')).to.match(/^ok: .*3 nodes/);
    expect(about(said, 'authorization')).to.match(/^ok: /);
    // The Redis of the tests keeps nothing on disk, and is said to.
    expect(about(said, 'redis')).to.include('a restart ends all sessions').and.include('appendonly yes');
    expect(said.leftBehind).to.equal(0);
    expect(await fleet.inspect.keys('*session:*')).to.deep.equal([]);
  });

  it('the program prints the report, never the token, and ends with 0', async () => {
    const { code, out, err } = await runProgram(['doctor', `${fleet.url}/mcp`, ...QUICKLY], { ANYNODE_TOKEN: TOKEN });
    expect([code, err]).to.deep.equal([0, '']);
    expect(out).to.match(/ok +handshake +initialize answered by anynode-demo/);
    expect(out).to.match(/0 problem\(s\), 1 warning\(s\)/);
    expect(out).not.to.include(TOKEN);
  });

  it('a token that is missing or wrong is told, and never shown', async () => {
    const wrong = 'another-token-that-nobody-may-see';
    for (const args of [[], ['--token', wrong]]) {
      const said = await callDoctor([`${fleet.url}/mcp`, ...QUICKLY, ...args, '--json']);
      expect(named(said, 'problem')).to.deep.equal(['handshake']);
      expect(said.code).to.equal(1);
      expect(about(said, 'handshake')).to.include('401').and.include('Authorization');
      expect(said.out + said.err).not.to.include(wrong);
    }
  });

  it('nodes that do not share one store are found', async () => {
    const env = { REDIS_URL: fleet.redis.url, MCP_SERVER: 'demo', DRAIN_DELAY_MS: '0', LOG_LEVEL: 'warn' };
    const nodes = await Promise.all(['one:', 'two:'].map((prefix) => startNode({ ...env, KEY_PREFIX: prefix })));
    const balancer = await startBalancer(nodes.map(({ url }) => url));
    try {
      const said = await callDoctor([`${balancer.url}/mcp`, ...QUICKLY, '--json']);
      expect(said.code).to.equal(1);
      expect(about(said, 'sharing')).to.match(/^problem: 6 of 12 requests .*KEY_PREFIX/);
      expect(named(said, 'problem')).to.deep.equal(['sharing']);
      expect(said.leftBehind).to.equal(0);
      expect(await fleet.inspect.keys('*session:*')).to.deep.equal([]);
    } finally {
      await balancer.close();
      await Promise.all(nodes.map((node) => node.stop()));
    }
  });

  it('wrong settings of Redis are found and named', async () => {
    const buffers = ['--client-output-buffer-limit', 'pubsub 1mb 512kb 60'];
    const redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru', '--timeout', '90', ...buffers] });
    try {
      const args = [`${fleet.url}/mcp`, ...QUICKLY, '--json', '--redis', redis.url];
      const said = await callDoctor(args, { ANYNODE_TOKEN: TOKEN });
      expect(said.code).to.equal(1);
      const words = ['maxmemory-policy noeviction', 'timeout 0', 'pubsub 32mb 8mb 60', 'appendonly yes'];
      for (const word of words) expect(about(said, 'redis')).to.include(word);
      expect(named(said, 'problem')).to.deep.equal(['redis']);
    } finally {
      await redis.stop();
    }
  });

  it('a Redis that is a replica, or away, is a problem; its password is not shown', async () => {
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${(fleet.redis as RedisServer).port}`] });
    try {
      const ask = (url: string) =>
        callDoctor([`${fleet.url}/mcp`, '--timeout', '2', '--watch', '0', '--json', '--redis', url]);
      expect(about(await ask(replica.url), 'redis'))
        .to.include('replica')
        .and.include('problem');
      await replica.stop();
      const away = await ask(replica.url.replace('//', '//:s3cret-word@'));
      expect(about(away, 'redis')).to.include('problem: not reached');
      expect(away.out).not.to.include('s3cret-word');
    } finally {
      await replica.stop();
    }
  });

  it('the older transport is opened on demand; its session stays, and that is said', async () => {
    const args = [`${fleet.url}/mcp`, ...QUICKLY, '--json', '--sse'];
    const said = await callDoctor(args, { ANYNODE_TOKEN: TOKEN });
    expect(about(said, 'sse-transport')).to.match(/^ok: the answer to another request came on the open stream/);
    expect(said.leftBehind).to.equal(1);
    const [left] = await fleet.inspect.keys('session:*');
    expect(await fleet.inspect.hGet(left as string, 'transportType')).to.equal('sse');
    await fleet.inspect.del(left as string);
  });

  it('headers that a proxy takes out of answers are missed', async () => {
    const proxy = await startProxy(fleet.url, (headers) => {
      delete headers['www-authenticate'];
    });
    try {
      const said = await callDoctor([`${proxy.url}/mcp`, ...QUICKLY, '--json'], { ANYNODE_TOKEN: TOKEN });
      expect(named(said, 'problem')).to.deep.equal(['authorization']);
      expect(about(said, 'authorization')).to.include('proxy_hide_header WWW-Authenticate');
    } finally {
      await proxy.close();
    }
  });

  it('interrupted, the program ends its sessions first, and ends with 130', async () => {
    const opened = fleet.inspect.keys('session:*');
    expect(await opened).to.deep.equal([]);
    const child = startProgram(['doctor', `${fleet.url}/mcp`, '--watch', '600'], { ANYNODE_TOKEN: TOKEN });
    await eventually(async () => (await fleet.inspect.keys('session:*')).length > 0);
    child.process.kill('SIGINT');
    expect((await child.ended).code).to.equal(130);
    expect(await fleet.inspect.keys('session:*')).to.deep.equal([]);
  });

  it('an address without an answer ends with 2', async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const mute = await callDoctor([`http://127.0.0.1:${port}/mcp`, '--timeout', '0.3']);
    await new Promise((resolve) => silent.close(resolve));
    expect([mute.code, mute.err]).to.deep.equal([
      2,
      `anynode doctor: no answer from http://127.0.0.1:${port}/mcp: no answer in 300 ms\n`,
    ]);
    const closed = await callDoctor([`http://127.0.0.1:${port}/mcp`]);
    expect(closed.code).to.equal(2);
    expect(closed.err).to.include('ECONNREFUSED');
  });

  it('wrong usage ends with 2 and says what is right', async () => {
    for (const args of [
      [],
      ['nonsense'],
      ['ftp://x/mcp'],
      ['http://x/mcp', '--watch', 'long'],
      ['http://x', '--nope'],
    ]) {
      const said = await callDoctor(args);
      expect(said.code, args.join(' ')).to.equal(2);
      expect(said.err).to.include('Usage: anynode doctor URL');
    }
    expect((await runProgram(['dcotor'])).code).to.equal(2);
    expect((await runProgram(['--help'])).out).to.include('anynode doctor URL');
    expect((await runProgram(['--version'])).out).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});

/** Passes everything on, and answers with changed headers. */
async function startProxy(target: string, change: (headers: http.IncomingHttpHeaders) => void) {
  const server = http.createServer((req, res) => {
    const options = { method: req.method ?? 'GET', headers: req.headers, agent: false as const };
    const upstream = http.request(new URL(req.url ?? '/', target), options, (answer) => {
      change(answer.headers);
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      res.flushHeaders();
      answer.pipe(res);
    });
    upstream.on('error', () => res.destroy());
    res.once('close', () => upstream.destroy());
    req.pipe(upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const runProgram = (args: readonly string[], env: Record<string, string> = {}) => startProgram(args, env).ended;

function startProgram(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH ?? '', ...env } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { process: child, ended };
}
