/** What the limit tests share: users with tokens, what a fleet has stored, and what it says it refused. */
import { expect } from 'chai';
import { expectRpcError } from '../support/expectations.js';
import type { Fleet } from '../support/fleet.js';
import type { RpcId, RpcMessage } from '../support/json-rpc.js';
import type { RawResponse } from '../support/raw-http.js';

const NAMES = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gil', 'hal'] as const;

const tokenOf = (name: string): string => `token-of-${name}-7d1f93c2`;

/** One user for each test, so that none is limited by what another one did. */
export const AUTH_TOKENS = NAMES.map((name) => `${name}:${tokenOf(name)}`).join(',');

export const as = (name: (typeof NAMES)[number]): { headers: { Authorization: string } } => ({
  headers: { Authorization: `Bearer ${tokenOf(name)}` },
});

/** 429 with `Retry-After`, and the limit that it is about. */
export async function expectTooMany(response: RawResponse, reason: string, id: RpcId = null): Promise<RpcMessage> {
  const body = await expectRpcError(response, 429, -32000, id);
  expect(body.error?.data).to.include({ reason });
  expect(Number(response.headers['retry-after'])).to.be.within(1, 60);
  return body;
}

/** Names of all keys that are there for clients, without those that nodes write by the clock. */
export async function stored({ inspect }: Fleet): Promise<string[]> {
  const keys = await inspect.keys('*');
  return keys.filter((key) => !/^\{?(nodes?|node-name|duty|secret|health|changes)\b/.test(key)).sort();
}

/** Sum over the fleet of what was refused by a limit. */
export async function refused({ nodeUrls }: Pick<Fleet, 'nodeUrls'>, reason: string): Promise<number> {
  const line = new RegExp(`^mcp_refused_total\\{reason="${reason}"\\} (\\d+)$`, 'm');
  const counts = await Promise.all(
    nodeUrls.map(async (url) => {
      const text = await (await fetch(`${url}/metrics`, as('hal'))).text();
      const count = line.exec(text)?.[1];
      if (count === undefined) throw new Error(`no count of ${reason} at ${url}`);
      return Number(count);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

export const timesOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
