/** Authorization: what the token of a request is good for, and what the request would do. */
import type { Identity } from '../core/authentication.js';
import { isRequest, type JsonRpcId, type JsonRpcMessage } from '../core/jsonrpc.js';
import type { ServerContext } from '../core/server-context.js';
import { ScopesLacking } from '../mcp/scope-challenge.js';
import type { ToolScopes } from '../mcp/tool-scopes.js';
import type { Challenges } from './challenge.js';
import { faults } from './faults.js';
import { Refused } from './refused.js';

export interface AuthorizationOptions {
  /** What every request needs. */
  readonly scopes: readonly string[];
  readonly toolScopes: ToolScopes;
  readonly challenges: Challenges;
}

export class Authorization {
  readonly #options: AuthorizationOptions;

  constructor(options: AuthorizationOptions) {
    this.#options = options;
  }

  /**
   * Before any of the messages is looked at by anybody else. The challenge names all that the whole POST needs, so that
   * one new token is enough.
   * @throws Refused (403, insufficient_scope)
   */
  async check(
    path: string | undefined,
    { scopes: granted }: Identity,
    messages: readonly JsonRpcMessage[],
    id: JsonRpcId | null,
    context: () => ServerContext,
  ): Promise<void> {
    if (!granted) return;
    const { scopes, toolScopes, challenges } = this.#options;
    const needed = new Set(scopes);
    for (const message of messages) {
      if (!isRequest(message) || message.method !== 'tools/call') continue;
      const tool = message.params?.name;
      // A call of nothing is refused by the server, in its own words.
      if (typeof tool !== 'string') continue;
      const own = toolScopes.needed(tool, context);
      for (const scope of own instanceof Promise ? await own : own) needed.add(scope);
    }
    for (const scope of needed) {
      if (!granted.has(scope)) {
        throw new Refused(challenges.insufficientScope(faults.insufficientScope(), path, [...needed]), id);
      }
    }
  }

  /** What the server module itself has found lacking; any other error as it is. */
  refused(path: string | undefined, error: unknown, id: JsonRpcId | null): unknown {
    if (!(error instanceof ScopesLacking)) return error;
    const { challenges, scopes: always } = this.#options;
    const { scopes, errorDescription } = error.challenge;
    const needed = [...new Set([...always, ...scopes])];
    return new Refused(challenges.insufficientScope(faults.insufficientScope(), path, needed, errorDescription), id);
  }
}
