/** What a server factory is given. Public: see CONTRACT of server modules in the README. */

export type Era = 'legacy' | 'modern';

/** The session's own state in the store. JSON values; atomic over all nodes; gone with the session. */
export interface SessionState {
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** @throws SessionGone when the session has ended. */
  set(key: string, value: unknown): Promise<void>;
  /** True: the key was there. */
  delete(key: string): Promise<boolean>;
  /**
   * Adds to a number (a missing key counts as 0) and returns the new value.
   * @throws TypeError when the value is not a number; SessionGone when the session has ended.
   */
  increment(key: string, by?: number): Promise<number>;
}

/** Fleet-wide change notices: legacy sessions and modern subscriptions on every node. Stored when they resolve. */
export interface Notify {
  toolsChanged(): Promise<void>;
  promptsChanged(): Promise<void>;
  resourcesChanged(): Promise<void>;
  resourceUpdated(uri: string): Promise<void>;
}

/** As the SDKs define it; token and claims of an authenticated request. */
export interface AuthInfo {
  token: string;
  clientId: string;
  scopes: string[];
  expiresAt?: number;
  resource?: URL;
  extra?: Record<string, unknown>;
}

/**
 * The fleet's codec for what a call of several rounds has to remember between them. Signed with keys that every node
 * knows, so a state minted on one node is accepted on all; bound to principal, method and name; it expires. Signed, not
 * encrypted: the client can read it.
 */
export interface RequestState {
  mint(value: unknown): Promise<string>;
  /** For the SDK's server options (`requestState: { verify }`). @throws for a state that is forged, expired or foreign. */
  verify(state: string): Promise<unknown>;
}

export interface ServerContext {
  readonly era: Era;
  readonly nodeId: string;
  /** Legacy only. */
  readonly sessionId?: string;
  /** Legacy only. */
  readonly session?: SessionState;
  readonly authInfo?: AuthInfo;
  readonly requestState: RequestState;
  readonly notify: Notify;
}

/** The session ended while a handler was still using its state. */
export class SessionGone extends Error {
  override readonly name = 'SessionGone';
}
