/**
 * Writes aws.json from the service models that AWS publishes with its SDKs: Debian's package python3-botocore 1.29.27
 * (`apt-get download`, `dpkg-deb -x`), then `node make-aws.mjs <folder botocore/data>`.
 *
 * Strict: a member that the API does not know is an error, as `--cli-input-json` has it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Operations whose input deploy/ecs has as a file. */
const OPERATIONS = {
  'ecs/2014-11-13': ['RegisterTaskDefinition', 'CreateService'],
  'elbv2/2015-12-01': ['CreateTargetGroup', 'ModifyTargetGroupAttributes', 'ModifyLoadBalancerAttributes'],
  'application-autoscaling/2016-02-06': ['RegisterScalableTarget', 'PutScalingPolicy'],
};

const $defs = {};

function define(model, service, name) {
  const id = `${service}.${name}`;
  if (!(id in $defs)) {
    $defs[id] = {};
    $defs[id] = schemaOf(model.shapes[name], (member) => define(model, service, member.shape));
  }
  return { $ref: `#/$defs/${id}` };
}

function schemaOf(shape, ref) {
  switch (shape.type) {
    case 'structure': {
      const properties = Object.fromEntries(Object.entries(shape.members).map(([name, member]) => [name, ref(member)]));
      return {
        type: 'object',
        properties,
        ...(shape.required && { required: shape.required }),
        additionalProperties: false,
      };
    }
    case 'list':
      return { type: 'array', items: ref(shape.member) };
    case 'map':
      return { type: 'object', additionalProperties: ref(shape.value) };
    case 'string':
      return { type: 'string', ...(shape.enum && { enum: shape.enum }) };
    case 'boolean':
      return { type: 'boolean' };
    case 'integer':
    case 'long':
      return {
        type: 'integer',
        ...(shape.min !== undefined && { minimum: shape.min }),
        ...(shape.max !== undefined && { maximum: shape.max }),
      };
    case 'double':
    case 'float':
      return { type: 'number' };
    default:
      throw new Error(`no schema for ${shape.type}`);
  }
}

for (const [path, operations] of Object.entries(OPERATIONS)) {
  const [service] = path.split('/');
  const model = JSON.parse(readFileSync(join(process.argv[2], path, 'service-2.json'), 'utf8'));
  for (const operation of operations) {
    $defs[operation] = define(model, service, model.operations[operation].input.shape);
  }
}

const $comment = 'Inputs of AWS operations, botocore 1.29.27, Apache-2.0; see make-aws.mjs';
const sorted = Object.fromEntries(Object.entries($defs).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(new URL('aws.json', import.meta.url), `${JSON.stringify({ $comment, $defs: sorted })}\n`);
