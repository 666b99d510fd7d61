/**
 * Which requests may be run a second time without doing anything twice: those that only read, those that set what they
 * were told to, and the tools that say so of themselves by their annotations.
 */
import { isObject, type JsonRpcId, type JsonRpcRequest } from '../core/jsonrpc.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import type { Caller, LegacyEra } from './legacy-era.js';
import type { Outlet } from './outlet.js';
import { noEffects } from './session-effects.js';

const METHODS = new Set([
  'initialize',
  'ping',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'logging/setLevel',
]);

/** Pages of a tool list that are read to find a tool: a list without an end must not keep a survivor busy. */
const MAX_PAGES = 50;

export async function mayBeRepeated(
  era: LegacyEra,
  session: SessionRecord,
  caller: Caller,
  requests: readonly JsonRpcRequest[],
): Promise<Set<JsonRpcId>> {
  const isCall = (request: JsonRpcRequest) => request.method === 'tools/call';
  const tools = requests.some(isCall) ? await repeatableTools(era, session, caller) : new Set<unknown>();
  const repeatable = requests.filter((request) =>
    isCall(request) ? tools.has(request.params?.name) : METHODS.has(request.method),
  );
  return new Set(repeatable.map(({ id }) => id));
}

/** Asked of the server itself, as a client would: annotations are nowhere else. */
async function repeatableTools(era: LegacyEra, session: SessionRecord, caller: Caller): Promise<Set<unknown>> {
  let answered: (result: Record<string, unknown>) => void = () => {};
  const nothing = async () => {};
  const outlet: Outlet = {
    callId: undefined,
    result: async (response) => answered('result' in response ? response.result : {}),
    related: nothing,
    unrelated: nothing,
    unanswered: nothing,
    refuse: nothing,
    abandon: () => answered({}),
    closeStream: () => {},
  };
  const names = new Set<unknown>();
  const context = () => era.contextFor(session, caller);
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const exchange = await era.exchange(session, context, caller, outlet, noEffects);
    const params = cursor === undefined ? {} : { cursor };
    const result = await new Promise<Record<string, unknown>>((resolve) => {
      answered = resolve;
      exchange.deliver({ jsonrpc: '2.0', id: 'anynode:tools', method: 'tools/list', params });
    });
    for (const tool of Array.isArray(result.tools) ? result.tools : []) {
      if (isObject(tool) && isHarmless(tool.annotations)) names.add(tool.name);
    }
    cursor = result.nextCursor;
    if (cursor === undefined) break;
  }
  return names;
}

function isHarmless(annotations: unknown): boolean {
  return isObject(annotations) && (annotations.readOnlyHint === true || annotations.idempotentHint === true);
}
