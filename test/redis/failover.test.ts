/**
 * A master is lost amid mixed load, and another server takes its place: nodes answer 503 until then and serve again
 * soon after, by themselves. What had begun before goes on: questions are answered, streams carry what comes next.
 *
 * Redis replicates asynchronously: what was written in the last moment before that can be gone. So the sessions and
 * questions looked at here are on the replicas before it.
 */
import { expect } from 'chai';
import { returned, startProbeFleet } from '../cluster/probe-fleet.js';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import { RawSession } from '../support/raw-client.js';
import type { RedisEntrance, RedisServer } from '../support/redis.js';
import { startCluster } from '../support/redis-cluster.js';
import { startSentinelSetup } from '../support/redis-sentinel.js';
import { faultsIn, MixedLoad } from './mixed-load.js';

/** From the promotion to service at every node. */
const SERVICE_MS = 5000;

interface Replicated extends RedisEntrance {
  /** The master that has a key. */
  ownerOf(key: string): Promise<RedisServer>;
  /** Resolves when another server has the place of a master. */
  promoted(former: RedisServer): Promise<unknown>;
  ask(server: RedisServer, ...args: string[]): Promise<unknown>;
}

const killed = (server: RedisServer): Promise<void> => server.kill();
/** Its sockets stay open and silent: nothing tells the nodes, and least of all those that only listen. */
const frozen = async ({ pid }: RedisServer): Promise<void> => void process.kill(pid, 'SIGSTOP');

type Setup = readonly [start: () => Promise<Replicated>, lose: (server: RedisServer) => Promise<void>];

const SETUPS: Record<string, Setup> = {
  'a Sentinel set-up whose master is killed': [startSentinelSetup, killed],
  'a Redis Cluster of which a master is killed': [() => startCluster({ replicas: 1 }), killed],
  ...(process.env.ANYNODE_FULL === '1' && {
    'a Sentinel set-up whose master is frozen': [startSentinelSetup, frozen],
    'a Redis Cluster of which a master is frozen': [() => startCluster({ replicas: 1 }), frozen],
  }),
};

for (const [title, [start, lose]] of Object.entries(SETUPS)) {
  describe(`${title} amid load`, function () {
    this.timeout(90_000);
    let redis: Replicated;
    let fleet: Fleet;
    before(async () => {
      redis = await start();
      fleet = await startProbeFleet({ redis });
    });
    after(async () => {
      await fleet?.stop();
      await redis?.stop();
    });

    it('is 503 and nothing else until a new master is there, then service, with all that had begun', async () => {
      const asking = await RawSession.open(fleet, { capabilities: { elicitation: {} } });
      const call = await asking.startTool('ask', { messages: ['before'] }, { node: 0 });
      const question = await call.asked('elicitation/create');
      const listening = await RawSession.open(fleet);
      const stream = await listening.stream({ node: 2 });
      await listening.request('resources/subscribe', { uri: 'test://after' });
      const load = await MixedLoad.start(fleet);
      const pids = fleet.nodes.map(({ pid }) => pid);
      const victim = await redis.ownerOf(`session:${asking.id}`);
      await untilReplicated(redis, victim);

      await lose(victim);
      const promotedAt = redis.promoted(victim).then(() => performance.now());
      // Asked for by itself: whoever of the load had a call running waits for its answer, and that can be all of them.
      await eventually(async () => expect(await asking.status({ node: 0 })).to.equal(503), { what: 'a 503' });
      const promotion = await promotedAt;
      for (const url of fleet.nodeUrls) {
        await eventually(async () => expect((await fetch(`${url}/readyz`)).status).to.equal(200));
      }
      const readyMs = performance.now() - promotion;
      for (const node of [0, 1, 2]) {
        for (const session of load.sessions.slice(0, 3)) expect(await session.status({ node })).to.equal(200);
      }
      expect(readyMs, 'from the promotion to service').to.be.below(SERVICE_MS);
      process.stdout.write(`        in service ${Math.round(readyMs)} ms after the promotion\n`);

      await eventually(async () => {
        const answer = { jsonrpc: '2.0', id: question.id, result: { action: 'accept', content: { word: 'after' } } };
        const response = await asking.post(answer, { node: 1 });
        await response.text();
        expect(response.status).to.equal(202);
      });
      expect(returned(await call.answer())[0].content.word).to.equal('after');
      const updated = stream.waitFor(({ params }) => params?.uri === 'test://after', 'a change on the stream');
      await listening.callTool('touch', { uri: 'test://after' }, { node: 1 });
      await updated;
      stream.close();

      const before = load.outcomes.length;
      await eventually(() => load.outcomes.length > before + 50, { what: 'more load' });
      await load.stop();
      const late = load.outcomes.filter(({ endedAt }) => endedAt > promotion + SERVICE_MS);
      expect(late.filter(({ status }) => status === 503)).to.deep.equal([]);
      expect(faultsIn(load.outcomes)).to.deep.equal([]);
      expect(fleet.nodes.map(({ pid }) => pid)).to.deep.equal(pids);
      for (const { log } of fleet.nodes) {
        expect(log.filter(({ msg }) => /unhandled|uncaught/.test(msg ?? ''))).to.deep.equal([]);
      }
    });
  });
}

/** What the master had written when this was called is on its replicas. */
async function untilReplicated(redis: Replicated, master: RedisServer): Promise<void> {
  const info = async () => String(await redis.ask(master, 'INFO', 'replication'));
  const written = Number(/master_repl_offset:(\d+)/.exec(await info())?.[1]);
  await eventually(
    async () => {
      const offsets = [...(await info()).matchAll(/^slave\d+:.*offset=(\d+)/gm)].map(([, offset]) => Number(offset));
      return offsets.length > 0 && offsets.every((offset) => offset >= written);
    },
    { what: 'replication' },
  );
}
