/**
 * What a server module gives, and what of a server object is used: the common ground of both SDK lines, by structure.
 * A server of either line fits without a cast.
 *
 * Not here: anything an SDK keeps to itself. No private field of a server object is read or written.
 */
import type { ServerContext } from '../core/server-context.js';

/** A server is spoken to through one of these; ours serves one request, or one stream. */
export interface TransportLike {
  start(): Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: each SDK line has JSON-RPC types of its own; a method keeps both fitting
  send(message: any, options?: any): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onmessage?: ((message: any, extra?: any) => void) | undefined;
  sessionId?: string | undefined;
  setProtocolVersion?: ((version: string) => void) | undefined;
}

/** An `McpServer` or `Server`. */
export interface McpServerLike {
  connect(transport: TransportLike): Promise<void>;
  close(): Promise<void>;
}

/** Builds a server for one exchange; the default export of a server module. */
export type ServerFactory = (context: ServerContext) => McpServerLike | Promise<McpServerLike>;

export interface ServerModule {
  /** As it was asked for. */
  readonly name: string;
  readonly factory: ServerFactory;
  /** Built servers may be lent to one exchange after another. */
  readonly reusable: boolean;
  /**
   * Of a reusable module: its handlers speak only through their own requests (`ctx.mcpReq`, `extra`) and do not ask for the
   * current exchange. What they say otherwise is refused, and so are `elicitInput` and `requestSampling` of `ctx.mcpReq` without
   * `relatedRequestId`: the SDK does not tell whose they are. Saves a third of a fast request.
   */
  readonly quiet: boolean;
  /** Its lists are the same for every caller until `notify` says otherwise. */
  readonly fixedLists: boolean;
}
