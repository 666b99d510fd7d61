/**
 * A balancer as it is shipped, a real one, in front of real nodes and Redis; said once for all of them.
 *
 * Where a binary is missing on a developer's machine its tests are skipped and say so; in CI that is a failure.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { request, textOf } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';
import type { RedisServer } from '../support/redis.js';
import { type Echo, startEcho } from './echo.js';
import { findProxy, type ProxyKind, type ProxyProcess, type Replacements, type Upstream } from './proxies.js';

const SERVER = fileURLToPath(new URL('servers/effects.mjs', import.meta.url));
const NODE_ENV = {
  MCP_SERVER: SERVER,
  OPS_PORT: '0',
  SSE_KEEPALIVE_MS: '250',
  // As shipped: the time in which a balancer can notice that a node leaves.
  DRAIN_DELAY_MS: '2000',
  DRAIN_TIMEOUT_MS: '20000',
  // Calls that say nothing stay unanswered, which is when a balancer may be tempted to try again.
  STREAM_UPGRADE_MS: '30000',
};

const upstreamOf = (node: NodeProcess): Upstream => {
  const line = node.log.find(({ msg }) => msg === 'listening for operators');
  return { port: node.port, opsPort: Number(line?.opsPort) };
};

export function describeBalancer(kind: ProxyKind): void {
  describe(`a fleet behind ${kind.name}, as shipped`, function () {
    this.timeout(60_000);
    let fleet: Fleet;
    const started: ProxyProcess[] = [];

    before(async function () {
      if ((await findProxy(kind.name)) === undefined) {
        if (process.env.CI) throw new Error(`${kind.name} is not installed, and CI must not go without it`);
        console.warn(`      skipped: ${kind.name} is not installed (Debian: apt-get install ${kind.name})`);
        this.skip();
      }
      fleet = await startFleet({ nodes: 3, env: NODE_ENV });
    });
    after(() => fleet?.stop());
    afterEach(() => Promise.all(started.splice(0).map((proxy) => proxy.stop())));

    const start = async (replacements: Replacements = [], nodes = fleet.nodes): Promise<ProxyProcess> => {
      const proxy = await kind.start(nodes.map(upstreamOf), replacements);
      started.push(proxy);
      return proxy;
    };
    const open = (proxy: ProxyProcess): Promise<RawSession> =>
      RawSession.open({ url: proxy.url, nodeUrls: fleet.nodes.map(({ url }) => url) });
    const tool = async (session: RawSession, name: string, args: object = {}): Promise<unknown> =>
      JSON.parse(textOf(await session.callTool(name, args)));
    const nodeOf = (nodeId: unknown): NodeProcess => {
      const node = fleet.nodes.find((candidate) => candidate.nodeId === nodeId);
      if (!node) throw new Error(`no node is called ${nodeId}`);
      return node;
    };

    it('sends every request of a session to the next node', async () => {
      const session = await open(await start());
      const seen: unknown[] = [];
      for (let i = 0; i < 9; i++) seen.push(await tool(session, 'whoami'));
      expect(new Set(seen)).to.deep.equal(new Set(fleet.nodes.map(({ nodeId }) => nodeId)));
      seen.forEach((nodeId, i) => {
        expect(nodeId === seen[i + 1], `${nodeId} twice in a row`).to.equal(false);
      });
    });

    it('passes events on while the call that says them still runs, one by one', async () => {
      const session = await open(await start());
      const call = await session.startTool('paced', { key: 'pace', steps: 4 }, { progressToken: 'p' });
      for (let step = 1; step <= 4; step++) {
        await call.response.waitFor(({ params }) => params?.progress === step, `step ${step}`);
        // The next one is said only after this, which goes by another connection to another node.
        await tool(session, 'write', { key: 'pace', value: step });
      }
      expect(textOf(await call.answer())).to.be.a('string');
    });

    it('gives the head of a stream that has nothing to say yet', async () => {
      const session = await open(await start());
      const stream = await session.stream();
      expect([stream.isStream, stream.events.filter(({ data }) => data !== undefined)]).to.deep.equal([true, []]);
      stream.close();
    });

    it('keeps an idle stream for longer than its time-outs, because nodes send comments', async () => {
      const silent = await fleet.addNode({ SSE_KEEPALIVE_MS: '60000', DRAIN_DELAY_MS: '0' });
      try {
        const session = await open(await start(kind.shortTimeouts, fleet.nodes.slice(0, 3)));
        const cut = await open(await start(kind.shortTimeouts, [silent]));
        const [kept, lost] = [await session.stream(), await cut.stream()];
        expect(await lost.untilEnd(), 'a node that is silent for longer').to.equal(false);
        // As long again as it took to cut the other one, and some more.
        await pause(2000);
        expect([kept.isOver, kept.events.length > 8]).to.deep.equal([false, true]);
        kept.close();
      } finally {
        await fleet.retire(silent);
      }
    });

    /** Begins a call, and kills the node that has it before it said anything. */
    const killWithin = async (proxy: ProxyProcess, key: string): Promise<[RawSession, Promise<RawResponse>]> => {
      const session = await open(proxy);
      const call = session.post(request(key, 'tools/call', { name: 'effect', arguments: { key } }));
      call.catch(() => {});
      const running = await eventually(async () => {
        const nodeId = await tool(session, 'read', { key: `${key}:node` });
        return nodeId !== null && nodeId;
      });
      await fleet.kill(nodeOf(running));
      return [session, call];
    };

    it('never sends a POST again that a node had begun when it died', async () => {
      const [session, call] = await killWithin(await start(), 'once');
      const response = await call;
      const body = await response.json();
      expect([response.status, body.error?.code]).to.deep.equal([502, -32000]);
      expect(await tool(session, 'read', { key: 'once:effects' })).to.equal(1);
      await fleet.addNode();
    });

    it('would be caught sending it again', async () => {
      const [session, call] = await killWithin(await start(kind.repeating), 'twice');
      await eventually(async () => (await tool(session, 'read', { key: 'twice:effects' })) === 2);
      await tool(session, 'write', { key: 'twice', value: true });
      expect((await call).status).to.equal(200);
      await fleet.addNode();
    });

    it('passes over a node that is gone', async () => {
      const proxy = await start();
      const session = await open(proxy);
      await fleet.kill(fleet.nodes[0] as NodeProcess);
      for (let i = 1; i <= 12; i++) expect(await tool(session, 'count', { key: 'n' })).to.equal(i);
      await fleet.addNode();
    });

    it('loses no request of a node that leaves, and no call that runs on it', async () => {
      const proxy = await start();
      const session = await open(proxy);
      const call = await session.startTool('paced', { key: 'last', steps: 1 }, { progressToken: 'p' });
      await call.response.waitFor(({ params }) => params?.progress === 1, 'the call');
      const leaving = nodeOf(await tool(session, 'read', { key: 'last:node' }));

      let running = true;
      const [name, args] = ['count', { key: 'served' }];
      const loops = Array.from({ length: 3 }, async () => {
        const statuses: number[] = [];
        while (running) {
          const response = await session.post(request(randomUUID(), 'tools/call', { name, arguments: args }));
          await response.text();
          statuses.push(response.status);
        }
        return statuses;
      });
      for (const loop of loops) loop.catch(() => {});
      fleet.nodes.splice(fleet.nodes.indexOf(leaving), 1);
      leaving.signal('SIGTERM');
      await eventually(() => leaving.log.some(({ msg }) => msg === 'draining'));
      // Beyond DRAIN_DELAY_MS: the call holds the node, which takes no connections any more.
      await eventually(async () => !(await fetch(`${leaving.url}/livez`).catch(() => undefined))?.ok);
      await pause(500);
      await tool(session, 'write', { key: 'last', value: 1 });
      expect(JSON.parse(textOf(await call.answer()))).to.equal(leaving.nodeId);
      expect(await leaving.exited).to.deep.equal({ code: 0, signal: null });
      running = false;
      const statuses = (await Promise.all(loops)).flat();
      const served = statuses.filter((status) => status === 200).length;
      // Without asking for readiness a connection can be made in the very moment in which the listener closes: each
      // client can meet that once, is told, and nothing has been done for it.
      const lost = statuses.filter((status) => status !== 200);
      expect(lost).to.deep.equal(kind.asksForReadiness ? [] : lost.map(() => 502));
      expect(lost.length).to.be.at.most(loops.length);
      expect(served).to.be.greaterThan(20);
      expect(await tool(session, 'count', { key: 'served' })).to.equal(served + 1);
      await fleet.addNode();
    });

    it("passes the nodes' own answer on while Redis is away, and goes on when it is back", async () => {
      const session = await open(await start());
      const { pid } = fleet.redis as RedisServer;
      process.kill(pid, 'SIGSTOP');
      try {
        await eventually(async () => {
          const states = await Promise.all(fleet.nodes.map(({ url }) => fetch(`${url}/readyz`)));
          return states.every(({ status }) => status === 503);
        });
        // Longer than two health checks of the balancer.
        await pause(1200);
        const response = await session.post(request('away', 'ping'));
        const { error } = await response.json();
        expect([response.status, response.headers['retry-after'] !== undefined]).to.deep.equal([503, true]);
        expect(error?.message).not.to.equal('No node can be reached');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await eventually(async () => (await session.status()) === 200);
    });

    describe('on the wire', () => {
      let node: Echo;
      before(async () => {
        node = await startEcho();
      });
      after(() => node?.stop());
      const begin = async (): Promise<ProxyProcess> => {
        const proxy = await kind.start([{ port: node.port, opsPort: node.port }]);
        started.push(proxy);
        return proxy;
      };

      it("passes MCP's headers, large ones and the client's Host, and adds where a request came from", async () => {
        const { url } = await begin();
        const sent = {
          'mcp-session-id': '8d1c3c1e-5a77-4c62-8f3c-3a1e8a9d5b10',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/call',
          'mcp-name': 'x',
          'mcp-param-city': 'Ulm',
          'last-event-id': 'main.1-0.2-0',
          authorization: `Bearer ${'t'.repeat(10_000)}`,
          origin: 'http://localhost:1',
        };
        const headers = { ...sent, 'x-forwarded-for': '203.0.113.9', 'content-type': 'application/json' };
        const answer = await fetch(`${url}/mcp`, { method: 'POST', headers, body: '{}' });
        const { headers: got } = (await answer.json()) as { headers: Record<string, string> };
        expect(got).to.include({ ...sent, host: new URL(url).host });
        expect(got['x-forwarded-for']?.replace(/\s/g, '')).to.equal('203.0.113.9,127.0.0.1');
      });

      it('keeps connections to the nodes for requests to come', async () => {
        const { url } = await begin();
        const before = node.connections;
        // The client's connection is kept too, as fetch does.
        for (let i = 0; i < 10; i++) await (await fetch(`${url}/mcp`)).text();
        expect(node.connections - before).to.be.lessThan(6);
      });

      it('has no metrics for clients', async () => {
        const { url } = await begin();
        expect((await fetch(`${url}/metrics`)).status).to.equal(404);
      });

      it('keeps secrets and session ids out of its log', async () => {
        const proxy = await begin();
        await (await fetch(`${proxy.url}/messages?sessionId=not-for-the-log`)).text();
        await eventually(async () => (await proxy.log()).includes('"path":"/messages"'));
        expect(await proxy.log()).not.to.include('not-for-the-log');
      });
    });
  });
}
