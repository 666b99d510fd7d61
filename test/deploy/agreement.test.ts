/** All ways of deployment together: they set what the code knows, and no value stands in the way of another. */
import { expect } from 'chai';
import { CONFIG_VARIABLES, parseConfig } from '../../src/app/config.js';
import {
  type Any,
  baseObject,
  baseSettings,
  COMPOSE,
  ENVIRONMENTS,
  filledIn,
  NODE_CONTAINER,
  read,
  readJson,
} from './manifests.js';

/** What Node.js and its libraries read themselves. */
const OTHERS_VARIABLES = ['NODE_ENV'];
/** Of a node, see src/app: how long it keeps an idle connection, and what it waits for the last answers to be written. */
const NODE_KEEP_ALIVE_S = 75;
const LAST_ANSWERS_MS = 2000;

const attributes = (file: string): Record<string, string> =>
  Object.fromEntries(
    readJson<Any>(`deploy/ecs/${file}.json`).Attributes.map(({ Key, Value }: Any) => [Key, Value]) as [
      string,
      string,
    ][],
  );
const seconds = (text: string): number => {
  const [, amount, unit = 's'] = /^(\d+)(ms|s|m)?$/.exec(text) ?? [];
  return Number(amount) * (unit === 'ms' ? 0.001 : unit === 'm' ? 60 : 1);
};

describe('the deployments together', () => {
  const known = new Set<string>([...Object.keys(CONFIG_VARIABLES), ...OTHERS_VARIABLES]);
  const pod = baseObject('Deployment').spec.template.spec;
  const [container] = pod.containers;
  const annotations = baseObject('Ingress').metadata.annotations ?? {};
  const fromSecrets = ['REDIS_URL', 'AUTH_TOKENS', 'STATE_SECRETS'];

  it('set variables that the code knows', () => {
    const named = [
      ...Object.values(ENVIRONMENTS).flatMap((variables) => Object.keys(variables)),
      ...container.env.map(({ name }: Any) => name),
      ...NODE_CONTAINER.secrets.map(({ name }: Any) => name),
      ...[...read('Dockerfile').matchAll(/^ENV (.+)$/gm)].flatMap(
        ([, line]) => (line as string).match(/\w+(?==)/g) ?? [],
      ),
    ];
    expect(named.filter((name) => !known.has(name))).to.deep.equal([]);
    expect(named).to.include.members(['NODE_ID', ...fromSecrets]);
  });

  for (const [name, variables] of Object.entries(ENVIRONMENTS)) {
    it(`set values that the code accepts, without a warning: ${name}`, () => {
      const secrets = {
        REDIS_URL: 'rediss://redis:6379',
        AUTH_TOKENS: `user:${'t'.repeat(40)}`,
        STATE_SECRETS: 's'.repeat(32),
      };
      const image = { HOST: '0.0.0.0', NODE_ID: 'anynode-5d8f7c9b6d-x2k4p' };
      const parsed = parseConfig({ ...image, ...secrets, ...filledIn(variables) });
      expect('faults' in parsed ? parsed.faults : parsed.warnings).to.deep.equal([]);
    });

    it(`give a leaving node the time that it takes: ${name}`, () => {
      const needed = Number(variables.DRAIN_DELAY_MS) + Number(variables.DRAIN_TIMEOUT_MS) + LAST_ANSWERS_MS;
      const grace =
        {
          compose: seconds(COMPOSE.services['mcp-server'].stop_grace_period),
          ECS: NODE_CONTAINER.stopTimeout,
        }[name] ?? pod.terminationGracePeriodSeconds;
      expect(grace * 1000).to.be.greaterThan(needed);
    });

    it(`use the same ports everywhere: ${name}`, () => {
      const { PORT = '3000', OPS_PORT } = variables;
      const listed =
        {
          compose: COMPOSE.services['mcp-server'].expose,
          ECS: NODE_CONTAINER.portMappings.map(({ containerPort }: Any) => `${containerPort}`),
        }[name] ?? container.ports.map(({ containerPort }: Any) => `${containerPort}`);
      expect(listed).to.deep.equal([PORT, `${OPS_PORT}`]);
    });
  }

  it('let idle streams live for longer than two comments are apart, and nodes keep connections for longer than balancers', () => {
    const nginx = read('deploy/nginx/nginx.conf');
    const haproxy = read('deploy/haproxy/haproxy.cfg');
    const alb = Number(attributes('load-balancer-attributes')['idle_timeout.timeout_seconds']);
    const idle = [
      seconds(/proxy_read_timeout (\w+)/.exec(nginx)?.[1] ?? ''),
      seconds(/proxy_send_timeout (\w+)/.exec(nginx)?.[1] ?? ''),
      seconds(/timeout client (\w+)/.exec(haproxy)?.[1] ?? ''),
      seconds(/timeout server (\w+)/.exec(haproxy)?.[1] ?? ''),
      Number(annotations['nginx.ingress.kubernetes.io/proxy-read-timeout']),
      Number(annotations['nginx.ingress.kubernetes.io/proxy-send-timeout']),
      alb,
    ];
    for (const { SSE_KEEPALIVE_MS } of Object.values(ENVIRONMENTS)) {
      for (const timeout of idle) expect(timeout * 1000).to.be.greaterThan(2 * Number(SSE_KEEPALIVE_MS));
    }
    expect(alb).to.be.lessThan(NODE_KEEP_ALIVE_S);
    expect(seconds(/pool-purge-delay (\w+)/.exec(haproxy)?.[1] ?? '')).to.be.lessThan(NODE_KEEP_ALIVE_S);
  });

  it('leave no kept connection that a node could close under a request', () => {
    const [, kept = ''] =
      /upstream fleet \{[\s\S]*?keepalive_timeout (\w+)/.exec(read('deploy/nginx/nginx.conf')) ?? [];
    expect(seconds(kept) * 1000).to.be.lessThan(Number(ENVIRONMENTS.compose?.DRAIN_DELAY_MS));
  });

  it('look at readiness often enough to notice a node that leaves', () => {
    const haproxy = read('deploy/haproxy/haproxy.cfg');
    const noticed =
      seconds(/inter (\w+)/.exec(haproxy)?.[1] ?? '') + seconds(/timeout check (\w+)/.exec(haproxy)?.[1] ?? '');
    expect(noticed * 1000).to.be.lessThan(Number(ENVIRONMENTS.compose?.DRAIN_DELAY_MS));
    const { readinessProbe } = container;
    const failing = readinessProbe.periodSeconds * readinessProbe.failureThreshold;
    expect(failing * 1000).to.be.lessThan(Number(baseSettings().DRAIN_DELAY_MS));
    const delay = Number(attributes('target-group-attributes')['deregistration_delay.timeout_seconds']);
    expect(delay * 1000).to.be.greaterThan(Number(ENVIRONMENTS.ECS?.DRAIN_TIMEOUT_MS));
  });

  it('ask for health where no token is needed', () => {
    const group = readJson<Any>('deploy/ecs/target-group.json');
    const { OPS_PORT } = ENVIRONMENTS.ECS ?? {};
    expect([group.HealthCheckPort, group.HealthCheckPath, `${group.Port}`]).to.deep.equal([
      OPS_PORT,
      '/health',
      ENVIRONMENTS.ECS?.PORT,
    ]);
    expect(/check port (\d+)/.exec(read('deploy/haproxy/haproxy.cfg'))?.[1]).to.equal(
      `${ENVIRONMENTS.compose?.OPS_PORT}`,
    );
    expect(attributes('target-group-attributes')['stickiness.enabled']).to.equal('false');
    const [, inDockerfile] = /HEALTHCHECK[\s\S]*?CMD (\[.*\])$/m.exec(read('Dockerfile')) ?? [];
    expect(NODE_CONTAINER.healthCheck.command.slice(1)).to.deep.equal(JSON.parse(inDockerfile ?? ''));
  });

  it('take larger bodies than nodes do, so that nodes refuse them', () => {
    const limit = CONFIG_VARIABLES.MAX_BODY_BYTES.fallback;
    const taken = [
      /client_max_body_size (\d+)m/.exec(read('deploy/nginx/nginx.conf'))?.[1],
      /^(\d+)m$/.exec(annotations['nginx.ingress.kubernetes.io/proxy-body-size'] ?? '')?.[1],
    ];
    for (const megabytes of taken) expect(Number(megabytes) * 1024 * 1024).to.be.greaterThan(limit);
  });

  it('never let a balancer repeat what a node may have begun', () => {
    const nginx = /proxy_next_upstream ([^;]+);/.exec(read('deploy/nginx/nginx.conf'))?.[1];
    expect([nginx, annotations['nginx.ingress.kubernetes.io/proxy-next-upstream']]).to.deep.equal(
      Array(2).fill('error timeout'),
    );
    expect(annotations['nginx.ingress.kubernetes.io/affinity']).to.equal(undefined);
  });
});
