/** The compose file and the ECS files fit their public schemas. What runs them is not here: that takes Docker, or AWS. */
import { expect } from 'chai';
import { createMetrics } from '../../src/app/metrics.js';
import { type Any, COMPOSE, copyOf, fileExists, read, readJson, readYaml, TASK } from './manifests.js';
import { faultsOfCompose, faultsOfInput } from './schemas.js';

const ECS_INPUTS = {
  'task-definition': 'RegisterTaskDefinition',
  service: 'CreateService',
  'target-group': 'CreateTargetGroup',
  'target-group-attributes': 'ModifyTargetGroupAttributes',
  'load-balancer-attributes': 'ModifyLoadBalancerAttributes',
  'scalable-target': 'RegisterScalableTarget',
  'scaling-policy-cpu': 'PutScalingPolicy',
  'scaling-policy-streams': 'PutScalingPolicy',
  'scaling-policy-calls': 'PutScalingPolicy',
} as const;

describe('the compose file', () => {
  it('fits the Compose Specification', () => {
    expect(faultsOfCompose(COMPOSE)).to.deep.equal([]);
  });

  it('is refused when it is broken', () => {
    const misspelt = copyOf(COMPOSE);
    misspelt.services['mcp-server'].stop_graceperiod = '35s';
    const wrongType = copyOf(COMPOSE);
    wrongType.services.redis.healthcheck.retries = 'ten';
    const nowhere = copyOf(COMPOSE);
    nowhere.servces = {};
    for (const file of [misspelt, wrongType, nowhere]) expect(faultsOfCompose(file)).not.to.be.empty;
  });

  it('can be scaled: replicas have no name and no port of the host', () => {
    const { container_name, ports, deploy } = COMPOSE.services['mcp-server'];
    expect([container_name, ports, deploy]).to.deep.equal([undefined, undefined, undefined]);
    const [service, port] = /server (\S+):(\d+) resolve/.exec(read('deploy/nginx/nginx.conf'))?.slice(1) ?? [];
    expect(Object.keys(COMPOSE.services)).to.include(service);
    expect(COMPOSE.services['mcp-server'].expose).to.include(port);
  });

  it('has a Redis that forgets nothing by itself', () => {
    const command: string[] = COMPOSE.services.redis.command;
    expect(command.join(' ')).to.include('--maxmemory-policy noeviction').and.include('--appendonly yes');
    expect(COMPOSE.services.redis.volumes).to.deep.equal(['redis-data:/data']);
  });

  it('mounts files that there are', () => {
    for (const { volumes = [] } of Object.values<Any>(COMPOSE.services)) {
      for (const volume of volumes.filter((one: string) => one.startsWith('./'))) {
        expect(fileExists(volume.split(':')[0]), volume).to.equal(true);
      }
    }
  });
});

describe('the ECS files', () => {
  for (const [file, operation] of Object.entries(ECS_INPUTS)) {
    it(`fit the AWS API: ${file}`, () => {
      expect(faultsOfInput(operation, readJson(`deploy/ecs/${file}.json`))).to.deep.equal([]);
    });
  }

  it('are refused when they are broken', () => {
    const misspelt = copyOf(TASK);
    misspelt.containerDefinitions[0].stopTimeOut = 40;
    const unknown = copyOf(TASK);
    unknown.networkMode = 'awsvpn';
    const wrongType = copyOf(TASK);
    wrongType.containerDefinitions[0].portMappings[0].containerPort = '3000';
    const { family: _family, ...incomplete } = TASK;
    for (const task of [misspelt, unknown, wrongType, incomplete]) {
      expect(faultsOfInput('RegisterTaskDefinition', task)).not.to.be.empty;
    }
  });

  it('explain every placeholder, and no other', () => {
    const used = Object.keys(ECS_INPUTS).flatMap((file) => read(`deploy/ecs/${file}.json`).match(/<[A-Z_]+>/g) ?? []);
    const explained = read('deploy/ecs/README.md').match(/<[A-Z_]+>/g) ?? [];
    expect([...new Set(explained)].sort()).to.deep.equal([...new Set(used)].sort());
  });

  it('scale on series that nodes have, as the collector names them', async () => {
    const { text } = await createMetrics({ activeSessions: async () => 0 }).render();
    const [declaration] = readYaml<Any>('deploy/ecs/collector.yaml').exporters.awsemf.metric_declarations;
    for (const file of ['streams', 'calls']) {
      const { CustomizedMetricSpecification: metric } = readJson<Any>(
        `deploy/ecs/scaling-policy-${file}.json`,
      ).TargetTrackingScalingPolicyConfiguration;
      const [{ Name, Value }] = metric.Dimensions;
      expect(text).to.match(new RegExp(`^${metric.MetricName}\\{${Name}="${Value}"`, 'm'));
      expect(metric.MetricName).to.match(new RegExp(declaration.metric_name_selectors[0]));
      expect(declaration.dimensions).to.deep.equal([[Name]]);
    }
  });
});
