/** The library: what a user of anynode imports. */

export { createFleet, type FleetAccess, type FleetOptions } from './app/create-fleet.js';
export { createNode, type NodeOptions } from './app/create-node.js';
export type { Node } from './app/node.js';
export { StateTooLarge } from './core/limits/state-size.js';
export type { Logger } from './core/logger.js';
export { StoreUnavailable } from './core/ports/store.js';
export type { AuthInfo, Era, Notify, RequestState, ServerContext, SessionState } from './core/server-context.js';
export { SessionGone } from './core/server-context.js';
export { StreamLost } from './core/stream-writer.js';
export { currentExchange } from './mcp/current-exchange.js';
export { ClientError, type Fleet, type FleetSession, RequestTimeout } from './mcp/fleet.js';
export type { McpServerLike, ServerFactory, TransportLike } from './mcp/server-module.js';
export { createMemoryState, type MemoryState } from './memory/index.js';
