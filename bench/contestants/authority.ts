/** Who vouches for the clients of a contestant that lets nobody in without a token. */
import { AuthorizationServer, bearer } from '../../test/support/authorization-server.js';
import type { Contestant } from './index.js';

const AUDIENCE = 'http://bench.example/mcp';
const FIXED = 'a-token-that-stands-in-the-configuration';
/** Longer than any run. */
const LIFE_S = 6 * 3600;

let authority: Promise<AuthorizationServer> | undefined;

/** The contestant with what it and its clients need for the tokens that it asks for. */
export async function withTokens(contestant: Contestant): Promise<Contestant> {
  const { asksFor, env } = contestant;
  if (asksFor === undefined) return contestant;
  if (asksFor === 'token')
    return { ...contestant, env: { ...env, AUTH_TOKENS: `ada:${FIXED}` }, headers: bearer(FIXED) };
  authority ??= AuthorizationServer.start(AUDIENCE);
  const server = await authority;
  const ours = { AUTH_ISSUER: server.issuer, AUTH_AUDIENCE: AUDIENCE };
  return { ...contestant, env: { ...env, ...ours }, headers: bearer(await server.token({ expiresIn: LIFE_S })) };
}

export async function dismissAuthority(): Promise<void> {
  await (await authority)?.stop();
  authority = undefined;
}
