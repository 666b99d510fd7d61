/** The exchange that the running code serves, for servers that are lent to one after another. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerContext } from '../core/server-context.js';

const storage = new AsyncLocalStorage<ServerContext>();
let followed = false;

/**
 * From now on exchanges are followed. The public API asks for it when it is imported: where nobody has, nobody can call
 * `currentExchange`, and following every promise for nobody would cost a third of a fast request.
 */
export function followExchanges(): void {
  followed = true;
}

export function areFollowed(): boolean {
  return followed;
}

export function enterExchange(context: ServerContext, run: () => void): void {
  storage.run(context, run);
}

/**
 * What a factory would have been given for the exchange being served: session, authentication and the rest. For modules
 * that declare `reusable`, whose factory cannot know them; undefined in others, and outside of handlers. (Following the
 * execution costs, so it begins with the first import of this function, which a module does at its top.)
 */
export function currentExchange(): ServerContext | undefined {
  return storage.getStore();
}
