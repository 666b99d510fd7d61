/** A node as each way of deployment starts it: with that environment, asked by that deployment's probes, stopped in its time. */
import { expect } from 'chai';
import { within } from '../support/eventually.js';
import { initialize } from '../support/json-rpc.js';
import { startNode } from '../support/node-process.js';
import { ACCEPT_BOTH } from '../support/raw-client.js';
import { send } from '../support/raw-http.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { type Any, baseObject, COMPOSE, ENVIRONMENTS, filledIn, NODE_CONTAINER, readJson } from './manifests.js';

const TOKEN = 't'.repeat(40);
const { spec: pod } = baseObject('Deployment').spec.template;

/** Paths on the port of operators, and the seconds until it is killed. */
const ASKED: Record<string, { readonly probes: readonly string[]; readonly grace: number }> = {
  compose: { probes: ['/readyz'], grace: Number.parseInt(COMPOSE.services['mcp-server'].stop_grace_period, 10) },
  ECS: { probes: [readJson<Any>('deploy/ecs/target-group.json').HealthCheckPath], grace: NODE_CONTAINER.stopTimeout },
  kubernetes: {
    probes: ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => pod.containers[0][probe].httpGet.path),
    grace: pod.terminationGracePeriodSeconds,
  },
};

/** Starts it, asks it, ends it; throws where something is not as it should be. */
async function live(name: string, variables: Record<string, string>, redisUrl: string): Promise<void> {
  const { probes, grace } = ASKED[name.split('/')[0] as string] as (typeof ASKED)[string];
  const env = filledIn(variables);
  const node = await startNode({
    ...env,
    REDIS_URL: redisUrl,
    KEY_PREFIX: `${name}:`,
    AUTH_TOKENS: `user:${TOKEN}`,
    // Several of them run on one machine here, and only for it.
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
  });
  try {
    const { opsPort } = node.log.find(({ msg }) => msg === 'listening for operators') ?? {};
    for (const path of [...probes, '/metrics']) {
      expect((await fetch(`http://127.0.0.1:${opsPort}${path}`)).status, path).to.equal(200);
    }
    const answer = await send(`${node.url}/mcp`, {
      method: 'POST',
      headers: {
        Host: new URL(env.PUBLIC_URL ?? 'http://localhost').host,
        Authorization: `Bearer ${TOKEN}`,
        'Content-Type': 'application/json',
        Accept: ACCEPT_BOTH,
      },
      body: JSON.stringify(initialize('2025-11-25')),
    });
    expect(answer.status, await answer.text()).to.equal(200);
  } finally {
    node.signal('SIGTERM');
  }
  expect(await within(node.exited, 'the end', grace * 1000)).to.deep.equal({ code: 0, signal: null });
}

describe('a node in the environment of', function () {
  this.timeout(90_000);
  let redis: RedisServer;
  const lives = new Map<string, Promise<void>>();
  before(async () => {
    redis = await startRedis();
    // All at once: most of their time is DRAIN_DELAY_MS.
    for (const [name, variables] of Object.entries(ENVIRONMENTS)) {
      const life = live(name, variables, redis.url);
      life.catch(() => {});
      lives.set(name, life);
    }
  });
  after(async () => {
    await Promise.allSettled(lives.values());
    await redis?.stop();
  });

  for (const name of Object.keys(ENVIRONMENTS)) {
    it(`${name} is ready, serves the name that clients use, and ends in time`, () => lives.get(name));
  }
});
