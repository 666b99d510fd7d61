/** The exchange that the running code serves, for servers that are lent to one after another. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerContext } from '../core/server-context.js';

const storage = new AsyncLocalStorage<ServerContext>();

export function enterExchange(context: ServerContext, run: () => void): void {
  storage.run(context, run);
}

/**
 * What a factory would have been given for the exchange being served: session, authentication and the rest. For modules
 * that declare `reusable`, whose factory cannot know them; undefined in others and in quiet ones, and outside of handlers. (Following the
 * execution costs about a third of a fast request; a module that declares itself `quiet` does without.)
 */
export function currentExchange(): ServerContext | undefined {
  return storage.getStore();
}
