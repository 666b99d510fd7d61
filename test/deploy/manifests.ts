/** What is shipped for deployment, read from its files and, for Kubernetes, put together by `kubectl kustomize`. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './schemas.js';

const ROOT = new URL('../../', import.meta.url);

export const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
/** Shapes that the schemas have checked before they are read. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type Any = any;

export const copyOf = <T>(value: T): T => structuredClone(value);
export const readYaml = <T>(path: string): T => parse(read(path)) as T;
export const readJson = <T>(path: string): T => JSON.parse(read(path)) as T;

export const KUSTOMIZATIONS = ['base', 'overlays/dev', 'overlays/production'] as const;
export type Kustomization = (typeof KUSTOMIZATIONS)[number];

const objectsIn = (text: string): KubernetesObject[] =>
  parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);

/** Undefined: there is no kubectl here, so patches and generators cannot be applied. */
export function built(kustomization: Kustomization): KubernetesObject[] | undefined {
  try {
    const path = fileURLToPath(new URL(`deploy/kubernetes/${kustomization}`, ROOT));
    return objectsIn(execFileSync('kubectl', ['kustomize', path], { encoding: 'utf8' }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The whole objects among its files, as they stand there. */
export function plain(kustomization: Kustomization): KubernetesObject[] {
  const folder = `deploy/kubernetes/${kustomization}`;
  return readdirSync(new URL(folder, ROOT))
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .flatMap((name) => objectsIn(read(`${folder}/${name}`)));
}

export interface Kustomize {
  readonly resources?: readonly string[];
  readonly namespace?: string;
  readonly configMapGenerator?: ReadonlyArray<{
    readonly envs?: readonly string[];
    readonly literals?: readonly string[];
  }>;
}

/** What a file of settings or a list of literals sets. */
export function settings(lines: readonly string[]): Record<string, string> {
  const set = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(set.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

export const fileExists = (path: string): boolean => existsSync(new URL(path, ROOT));

export const baseSettings = (): Record<string, string> =>
  settings(read('deploy/kubernetes/base/settings.env').split('\n'));

/** The node's settings after an overlay's additions. */
export function settingsOf(kustomization: Kustomization): Record<string, string> {
  const { configMapGenerator = [] } = readYaml<Kustomize>(`deploy/kubernetes/${kustomization}/kustomization.yaml`);
  return { ...baseSettings(), ...settings(configMapGenerator.flatMap(({ literals = [] }) => literals)) };
}

export function baseObject(kind: string): KubernetesObject {
  const found = plain('base').find((object) => object.kind === kind);
  if (!found) throw new Error(`the base has no ${kind}`);
  return found;
}

export const COMPOSE = readYaml<Any>('docker-compose.autoscale.yml');
export const TASK = readJson<Any>('deploy/ecs/task-definition.json');
export const NODE_CONTAINER = TASK.containerDefinitions[0];

/** The node's environment in each way of deploying it, secrets left out. */
export const ENVIRONMENTS: Record<string, Record<string, string>> = {
  compose: COMPOSE.services['mcp-server'].environment,
  ECS: Object.fromEntries(NODE_CONTAINER.environment.map(({ name, value }: Any) => [name, value])),
  ...Object.fromEntries(KUSTOMIZATIONS.map((name) => [`kubernetes/${name}`, settingsOf(name)])),
};

/** Its values with what compose puts in where nothing is set, and what a reader of deploy/ecs puts in by hand. */
export const filledIn = (variables: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      String(value)
        .replace(/\$\{\w+:-([^}]*)\}/, '$1')
        .replace('<PUBLIC_URL>', 'https://mcp.example.com'),
    ]),
  );
