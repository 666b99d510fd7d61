/** What the cluster tests share: fleets that serve the probe tools, and readings of what those tools say. */
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.js';
import { type Fleet, type FleetOptions, startFleet } from '../support/fleet.js';
import { type RpcMessage, textOf } from '../support/json-rpc.js';
import type { Hop, RawSession } from '../support/raw-client.js';
import type { RawResponse } from '../support/raw-http.js';

/** The same tools on both SDK lines. */
export const PROBES = {
  'an SDK 1.x server': fileURLToPath(new URL('../support/servers/probe-v1.mjs', import.meta.url)),
  'an SDK 2.x server': fileURLToPath(new URL('../support/servers/probe-v2.mjs', import.meta.url)),
} as const;

/** States its sentences once; the fleet exists only when they run, and other suites use it before and after. */
export type ClusterSuite = (fleet: () => Fleet) => void;

export function startProbeFleet(options: FleetOptions = {}): Promise<Fleet> {
  return startFleet({ ...options, env: { MCP_SERVER: PROBES['an SDK 2.x server'], ...options.env } });
}

/** What a probe tool returned; its text is JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each tool has its own shape, known to the test that called it.
export function returned(message: RpcMessage): any {
  return JSON.parse(textOf(message));
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
export async function probe(session: RawSession, tool: string, args: object = {}, hop: Hop = {}): Promise<any> {
  return returned(await session.callTool(tool, args, hop));
}

/** Resolves once the probe tool that waits for `key` is running, on whichever node that may be. */
export function untilRunning(session: RawSession, key: string, hop: Hop = {}): Promise<true> {
  return eventually(async () => (await probe(session, 'recall', { key: `${key}:started` }, hop)).value === 1);
}

/**
 * Barrier: proves what did not arrive on the session's standalone stream. A change of a resource that only this call
 * knows is sent after it, so when it comes, everything before it has come.
 */
export async function flush(session: RawSession, stream: RawResponse, hop: Hop = {}): Promise<void> {
  const uri = `test://barrier/${Math.random()}`;
  await session.request('resources/subscribe', { uri }, hop);
  await probe(session, 'touch', { uri }, hop);
  await stream.waitFor((message) => message.params?.uri === uri, 'the barrier');
}

export const updatesOf = (stream: RawResponse, uri: string): RpcMessage[] =>
  stream.messages.filter(({ method, params }) => method === 'notifications/resources/updated' && params.uri === uri);

/** Names of everything in the store that belongs to a session. */
export async function keysOf({ inspect }: Fleet, sessionId: string): Promise<string[]> {
  return (await inspect.keys(`*${sessionId}*`)).sort();
}

/** Sum of a counter over the fleet; `labels` as they stand in the text, for example `reason="expired"`. */
export async function metricOf(fleet: Fleet, name: string, labels = ''): Promise<number> {
  const texts = await Promise.all(fleet.nodeUrls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  const values = texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => line.includes(labels))
      .map((line) => Number(line.slice(line.lastIndexOf(' ')))),
  );
  return values.reduce((sum, value) => sum + value, 0);
}
