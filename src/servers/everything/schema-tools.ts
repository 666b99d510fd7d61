/**
 * Tools that are about their input schema: one as raw JSON Schema that must reach the client untouched, one whose
 * argument is mirrored in an HTTP header.
 *
 * Not here: the comparison of header and argument, which is the node's.
 */
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { READS, text } from '../reply.js';

interface Contact {
  name?: string;
  address?: { street?: string; city?: string };
  contactMethod?: 'phone' | 'email';
  phone?: string;
  email?: string;
}

/** Outside the factory: compiling the validator costs more than building the rest of the server. */
const contactInput = fromJsonSchema<Contact>({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; this object is data and is never awaited.
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
});

const regionInput = z.object({
  region: z.string().optional().describe('Mirrored in the header Mcp-Param-Region').meta({ 'x-mcp-header': 'Region' }),
  level: z.int().optional().describe('An ordinary argument beside it'),
});

export function registerSchemaTools(server: McpServer): void {
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Has an input schema with JSON Schema 2020-12 features',
      inputSchema: contactInput,
      annotations: READS,
    },
    (contact) => text(`JSON Schema 2020-12 tool called with: ${JSON.stringify(contact)}`),
  );
  server.registerTool(
    'test_x_mcp_header',
    { description: 'Has an argument that is mirrored in a header', inputSchema: regionInput, annotations: READS },
    ({ region = 'none', level = 0 }) => text(`region: ${region}, level: ${level}`),
  );
}
