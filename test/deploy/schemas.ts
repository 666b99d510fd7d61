/** Validators for what is deployed, made from the public schemas in `schemas`; each folder script there names its source. */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

type Definitions = Record<string, { properties?: Record<string, { const?: string; enum?: string[] }> }>;

const load = (name: string): Record<string, unknown> & { $defs?: Definitions } =>
  JSON.parse(readFileSync(new URL(`schemas/${name}.json`, import.meta.url), 'utf8'));

/** Says nothing about a schema's own style: they are others'. */
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
// What the Compose Specification calls so; the reader of YAML has told strings from numbers already.
for (const format of ['ports', 'expose', 'subnet_ip_address']) ajv.addFormat(format, true);
ajv.addFormat('duration', /^(\d+(\.\d+)?(us|ms|s|m|h))+$/);

const kubernetes = load('kubernetes');
const aws = load('aws');
ajv.addSchema(kubernetes, 'kubernetes').addSchema(aws, 'aws');
const compose = ajv.compile(load('compose'));

const tell = (validate: ValidateFunction, value: unknown): string[] =>
  validate(value)
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, message, params }: ErrorObject) => `${instancePath} ${message} ${JSON.stringify(params)}`,
      );

const defined = (schema: string, name: string): ValidateFunction => {
  const validate = ajv.getSchema(`${schema}#/$defs/${name}`);
  if (!validate) throw new Error(`${schema} has no schema for ${name}`);
  return validate as ValidateFunction;
};

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: its shape has been checked by the schema before it is read.
  readonly [field: string]: any;
}

/** What is wrong with it; nothing: an empty list. */
export function faultsOfObject(object: KubernetesObject): string[] {
  const name = Object.entries(kubernetes.$defs ?? {}).find(
    ([, { properties }]) =>
      properties?.apiVersion?.const === object.apiVersion && properties.kind?.const === object.kind,
  )?.[0];
  if (name === undefined) return [`no schema for ${object.apiVersion} ${object.kind}`];
  return tell(defined('kubernetes', name), object);
}

export const faultsOfCompose = (file: unknown): string[] => tell(compose, file);

/** Input of an operation of AWS, such as `RegisterTaskDefinition`. */
export const faultsOfInput = (operation: string, input: unknown): string[] => tell(defined('aws', operation), input);
