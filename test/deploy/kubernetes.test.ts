/** The Kubernetes manifests fit the API, each other, and what nodes say of themselves. */
import { expect } from 'chai';
import { createMetrics } from '../../src/app/metrics.js';
import {
  type Any,
  built,
  copyOf,
  KUSTOMIZATIONS,
  type Kustomization,
  type Kustomize,
  plain,
  read,
  readYaml,
  settingsOf,
} from './manifests.js';
import { faultsOfObject, type KubernetesObject } from './schemas.js';

describe('the Kubernetes manifests', () => {
  const objects = new Map<Kustomization, KubernetesObject[]>();
  const assembled = new Set<Kustomization>();
  before(() => {
    for (const name of KUSTOMIZATIONS) {
      const whole = built(name);
      if (whole) assembled.add(name);
      if (!whole && name === 'base')
        console.warn('      kubectl is not installed: files are checked without their patches');
      objects.set(name, whole ?? [...(name === 'base' ? [] : plain('base')), ...plain(name)]);
    }
  });
  const find = (name: Kustomization, kind: string): KubernetesObject => {
    const found = objects.get(name)?.find((object) => object.kind === kind && object.metadata.name === 'anynode');
    if (!found) throw new Error(`${name} has no ${kind}`);
    return found;
  };

  for (const name of KUSTOMIZATIONS) {
    it(`fit the API of Kubernetes, unknown fields included: ${name}`, () => {
      expect(objects.get(name)).not.to.be.empty;
      const faults = objects.get(name)?.flatMap((object) => faultsOfObject(object).map((f) => `${object.kind}${f}`));
      expect(faults).to.deep.equal([]);
    });

    it(`list every file of their folder: ${name}`, () => {
      const { resources = [] } = readYaml<Kustomize>(`deploy/kubernetes/${name}/kustomization.yaml`);
      const listed = resources.filter((path) => !path.startsWith('..'));
      const names = listed.flatMap((path) => read(`deploy/kubernetes/${name}/${path}`).match(/^kind: /gm) ?? []);
      expect(names.length).to.equal(plain(name).length);
    });

    it(`refer to what there is: ${name}`, () => {
      const pod = find(name, 'Deployment').spec.template;
      const [container] = pod.spec.containers;
      const ports = container.ports.map((port: Any) => port.name);
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        expect(ports).to.include(container[probe].httpGet.port);
      }
      expect(
        [container.startupProbe, container.livenessProbe, container.readinessProbe].map((p) => p.httpGet.path),
      ).to.deep.equal(['/livez', '/livez', '/readyz']);
      const service = find(name, 'Service').spec;
      const selecting = [
        service.selector,
        find(name, 'PodDisruptionBudget').spec.selector.matchLabels,
        find(name, 'NetworkPolicy').spec.podSelector.matchLabels,
        find(name, 'Deployment').spec.selector.matchLabels,
        ...pod.spec.topologySpreadConstraints.map((spread: Any) => spread.labelSelector.matchLabels),
      ];
      for (const labels of selecting) expect(pod.metadata.labels).to.include(labels);
      expect(ports).to.include(service.ports[0].targetPort);
      for (const rule of find(name, 'NetworkPolicy').spec.ingress) expect(ports).to.include(rule.ports[0].port);
      for (const { backend } of find(name, 'Ingress').spec.rules[0].http.paths) {
        expect(backend.service).to.deep.equal({ name: 'anynode', port: { name: service.ports[0].name } });
      }
      const generated = container.envFrom[0].configMapRef.name;
      if (assembled.has(name)) expect(objects.get(name)?.map(({ metadata }) => metadata.name)).to.include(generated);
    });

    it(`run with the least rights: ${name}`, () => {
      const { spec } = find(name, 'Deployment').spec.template;
      const [container] = spec.containers;
      expect(spec.securityContext).to.deep.include({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(container.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect([spec.automountServiceAccountToken, spec.enableServiceLinks]).to.deep.equal([false, false]);
      expect(`${spec.securityContext.runAsUser}:${spec.securityContext.runAsGroup}`).to.equal(
        /^USER (.+)$/m.exec(read('Dockerfile'))?.[1],
      );
    });

    it(`have no secret in them: ${name}`, () => {
      const [container] = find(name, 'Deployment').spec.template.spec.containers;
      const secret = ['REDIS_URL', 'AUTH_TOKENS', 'STATE_SECRETS'];
      for (const variable of container.env.filter((one: Any) => secret.includes(one.name))) {
        expect(variable.valueFrom, variable.name).to.have.property('secretKeyRef');
      }
      expect(settingsOf(name)).not.to.have.any.keys(...secret);
      if (name !== 'overlays/dev') expect(objects.get(name)?.map(({ kind }) => kind)).not.to.include('Secret');
    });

    it(`let clients in under the name that the nodes expect: ${name}`, function () {
      // The name is put in by a patch.
      if (name !== 'base' && !assembled.has(name)) this.skip();
      const { rules } = find(name, 'Ingress').spec;
      expect(rules.map(({ host }: Any) => host)).to.deep.equal([new URL(settingsOf(name).PUBLIC_URL ?? '').hostname]);
    });
  }

  it('scale on series that nodes have', async () => {
    const { text } = await createMetrics({ activeSessions: async () => 0 }).render();
    const { rules } = readYaml<Any>('deploy/kubernetes/prometheus-adapter-rules.yaml');
    const made = new Map<string, Any>(rules.map((rule: Any) => [rule.name.as, rule]));
    const { metrics } = find('base', 'HorizontalPodAutoscaler').spec;
    expect(metrics.map(({ type }: Any) => type)).to.include.members(['Resource', 'Pods']);
    for (const { pods } of metrics.filter(({ type }: Any) => type === 'Pods')) {
      const rule = made.get(pods.metric.name);
      const [, series, selector = ''] = /^(\w+)\{(.*)\}$/.exec(rule.seriesQuery) ?? [];
      const kind = /kind="\w+"/.exec(selector)?.[0] ?? '';
      expect(text, rule.seriesQuery).to.match(new RegExp(`^${series}\\{[^}]*${kind}`, 'm'));
      expect(rule.metricsQuery).to.include(kind);
    }
  });

  it('are refused when they are broken', () => {
    const broken: Record<string, (deployment: Any) => void> = {
      'a misspelt field': (d) => {
        d.spec.template.spec.containers[0].readinesProbe = {};
      },
      'a field in the wrong place': (d) => {
        d.spec.terminationGracePeriodSeconds = 30;
      },
      'a text for a number': (d) => {
        d.spec.template.spec.terminationGracePeriodSeconds = '45';
      },
      'a number for a text': (d) => {
        d.spec.template.metadata.annotations['prometheus.io/port'] = 9090;
      },
      'a field that is missing': (d) => {
        delete d.spec.selector;
      },
      'another version': (d) => {
        d.apiVersion = 'extensions/v1beta1';
      },
    };
    for (const [what, breakIt] of Object.entries(broken)) {
      const deployment = copyOf(find('base', 'Deployment'));
      breakIt(deployment);
      expect(faultsOfObject(deployment), what).not.to.be.empty;
    }
  });
});
