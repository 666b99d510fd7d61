/**
 * Writes kubernetes.json from the declarations of the npm package kubernetes-types, which are made from the OpenAPI
 * document of Kubernetes: `npm pack kubernetes-types@1.30.0`, unpack, `node make-kubernetes.mjs <folder of the package>`.
 *
 * Strict: a field that the API does not know is an error, as with `kubectl --validate=strict`. Not here: formats, and
 * what the API server checks by code.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** What the manifests use, and where it is declared. */
const KINDS = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['core/v1', 'ConfigMap'],
  ['core/v1', 'Namespace'],
  ['core/v1', 'Secret'],
  ['core/v1', 'Service'],
  ['core/v1', 'ServiceAccount'],
  ['networking/v1', 'Ingress'],
  ['networking/v1', 'NetworkPolicy'],
  ['policy/v1', 'PodDisruptionBudget'],
];

const root = process.argv[2];
const files = new Map();
const definitions = {};

/** Declarations of one file by name, as text without comments, and where its imported names come from. */
function load(path) {
  const known = files.get(path);
  if (known) return known;
  const text = readFileSync(join(root, `${path}.d.ts`), 'utf8').replace(/\/\*\*[\s\S]*?\*\//g, '');
  const imports = new Map();
  for (const [, names, from] of text.matchAll(/^import \{([^}]*)\} from "([^"]+)";/gm)) {
    for (const name of names.split(',')) {
      const [original, local = original] = name.trim().split(' as ');
      imports.set(local, [normalize(join(dirname(path), from)), original]);
    }
  }
  const interfaces = new Map();
  for (const [, name, body] of text.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)) interfaces.set(name, body);
  const types = new Map();
  for (const [, name, type] of text.matchAll(/^export type (\w+) = ([^;]+);/gm)) types.set(name, type);
  const file = { path, imports, interfaces, types };
  files.set(path, file);
  return file;
}

function reference(path, name) {
  const id = `${path.replace('/', '.')}.${name}`;
  if (!(id in definitions)) {
    definitions[id] = {};
    definitions[id] = declaration(load(path), name);
  }
  return { $ref: `#/$defs/${id}` };
}

function declaration(file, name) {
  const type = file.types.get(name);
  if (type !== undefined) return schemaOf(file, type);
  const body = file.interfaces.get(name);
  if (body === undefined) throw new Error(`${file.path} does not declare ${name}`);
  const properties = {};
  const required = [];
  // Members are indented by four; a map's inner line by eight.
  for (const [, quoted, mark, kind] of body.matchAll(/^ {4}("?[\w$-]+"?)(\??): (\{[\s\S]*?^ {4}\}|[^;]+);/gm)) {
    const property = quoted.replaceAll('"', '');
    properties[property] = schemaOf(file, kind);
    if (mark === '') required.push(property);
  }
  return { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false };
}

function schemaOf(file, type) {
  const alternatives = type.split(' | ');
  if (alternatives.length > 1) {
    if (alternatives.every((one) => one.startsWith('"'))) return { enum: alternatives.map((one) => JSON.parse(one)) };
    return { anyOf: alternatives.map((one) => schemaOf(file, one)) };
  }
  const list = /^Array<(.+)>$/.exec(type);
  if (list) return { type: 'array', items: schemaOf(file, list[1]) };
  const map = /^\{\s*\[name: string\]: ([^;]+);\s*\}$/.exec(type);
  if (map) return { type: 'object', additionalProperties: schemaOf(file, map[1]) };
  if (type.startsWith('"')) return { const: JSON.parse(type) };
  // None of the kinds above has a fraction anywhere.
  if (type === 'number') return { type: 'integer' };
  if (type === 'string' || type === 'boolean') return { type };
  if (/^(Record<|any|unknown|object)/.test(type)) return {};
  const imported = file.imports.get(type);
  if (imported) return reference(...imported);
  return reference(file.path, type);
}

const oneOf = KINDS.map(([path, name]) => reference(path, name));
// A quantity may be written without quotes.
definitions['api.resource.Quantity'] = {
  anyOf: [{ type: 'string', pattern: '^[+-]?[0-9.]+([eE][0-9]+|[numkMGTPE]|[KMGTPE]i)?$' }, { type: 'number' }],
};
const schema = {
  $comment:
    'Kubernetes API v1.30, Apache-2.0, by way of the npm package kubernetes-types 1.30.0; see make-kubernetes.mjs',
  oneOf,
  $defs: Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1))),
};
writeFileSync(new URL('kubernetes.json', import.meta.url), `${JSON.stringify(schema)}\n`);
