/** Extensions of the protocol that the suite has scenarios for, and which of them a server says that it serves. */
import { MODERN_REVISION } from './legs.js';

export interface Extension {
  readonly id: string;
  readonly prefix: string;
}

export const EXTENSIONS: readonly Extension[] = [
  { id: 'io.modelcontextprotocol/tasks', prefix: 'tasks-' },
  { id: 'io.modelcontextprotocol/skills', prefix: 'sep-2640-skills-' },
];

const DISCOVER = {
  jsonrpc: '2.0',
  id: 1,
  method: 'server/discover',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': MODERN_REVISION,
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
};

export async function servedExtensions(url: string): Promise<ReadonlySet<string>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN_REVISION,
      'mcp-method': DISCOVER.method,
    },
    body: JSON.stringify(DISCOVER),
  });
  const body = (await response.json()) as { result?: { capabilities?: { extensions?: object } } };
  if (body.result === undefined) throw new Error(`server/discover: ${response.status} ${JSON.stringify(body)}`);
  return new Set(Object.keys(body.result.capabilities?.extensions ?? {}));
}

/** A scenario of an extension that is not served would fail, or check nothing; it is not run. */
export function isServed(scenario: string, served: ReadonlySet<string>): boolean {
  const extension = EXTENSIONS.find(({ prefix }) => scenario.startsWith(prefix));
  return extension === undefined || served.has(extension.id);
}
