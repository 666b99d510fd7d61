/**
 * Which scopes a call of a tool needs: what the configuration says of it, else what it says of itself in its `_meta`.
 *
 * What tools say is remembered by name, for a minute or until the tools change: a tool's scopes are the same for all
 * callers of a fleet. A name that is not remembered is looked up with the caller's own tools, so one that only some
 * callers have is found too.
 */
import { SCOPE } from '../core/authentication.js';
import type { ServerContext } from '../core/server-context.js';
import { enterExchange } from './current-exchange.js';
import type { ServerSource } from './server-source.js';
import { listTools } from './tool-list.js';

/** The annotation: `registerTool(name, { _meta: { [SCOPES]: ['files:write'] } }, ...)`. */
export const SCOPES = 'anynode/scopes';

const REMEMBERED_MS = 60_000;
const NONE: readonly string[] = [];

export class ToolScopes {
  readonly #servers: ServerSource;
  readonly #configured: ReadonlyMap<string, readonly string[]>;
  #remembered = new Map<string, readonly string[]>();
  #since = 0;

  constructor(servers: ServerSource, configured: ReadonlyMap<string, readonly string[]>) {
    this.#servers = servers;
    this.#configured = configured;
  }

  /**
   * A promise only where the tools have to be asked; then `context` is asked for, too, since a server has to be built.
   * @throws what the factory throws, and where the list of tools cannot be read: nobody is let through unseen.
   */
  needed(tool: string, context: () => ServerContext): readonly string[] | Promise<readonly string[]> {
    const configured = this.#configured.get(tool);
    if (configured) return configured;
    if (Date.now() - this.#since > REMEMBERED_MS) this.forget();
    return this.#remembered.get(tool) ?? this.#lookUp(tool, context);
  }

  async #lookUp(tool: string, context: () => ServerContext): Promise<readonly string[]> {
    const into = this.#remembered;
    for (const { name, _meta } of await this.#list(context())) {
      if (typeof name === 'string') into.set(name, scopesIn(_meta));
    }
    return into.get(tool) ?? NONE;
  }

  /** Called when the tools have changed. A look-up that is under way fills what nobody reads any more. */
  forget(): void {
    this.#remembered = new Map();
    this.#since = Date.now();
  }

  async #list(context: ServerContext): Promise<readonly Record<string, unknown>[]> {
    const { authInfo } = context;
    const server = await this.#servers.build(() => context);
    // Entering for nobody would have the process follow every promise from then on.
    const { reusable, quiet } = this.#servers;
    if (!reusable || quiet) return listTools(server, authInfo);
    return new Promise((resolve, reject) =>
      enterExchange(context, () => listTools(server, authInfo).then(resolve, reject)),
    );
  }
}

/** An annotation that cannot be read opens nothing: a mistake in it must not make a tool free for all. */
function scopesIn(meta: unknown): readonly string[] {
  const scopes = typeof meta === 'object' && meta !== null ? (meta as Record<string, unknown>)[SCOPES] : undefined;
  if (scopes === undefined) return NONE;
  const list = Array.isArray(scopes) ? scopes : [scopes];
  return list.map((scope) => (typeof scope === 'string' && SCOPE.test(scope) ? scope : 'unreadable'));
}
