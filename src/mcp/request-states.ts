/**
 * The keys of request states, and the codec of one exchange.
 *
 * Keys come from `STATE_SECRETS` (the first signs, all verify, so that a key is changed without failing a round that is
 * under way) or, without set-up, from the store, where the first node puts one. Signing itself is the SDK's codec.
 */
import { randomBytes } from 'node:crypto';
import { createRequestStateCodec, type RequestStateCodec } from '@modelcontextprotocol/server';
import type { SecretStore } from '../core/ports/secret-store.js';
import { StoreUnavailable } from '../core/ports/store.js';
import type { RequestState } from '../core/server-context.js';

const SECRET = 'request-state';
/** Keys of the fleet that are tried: more than one only after the store has lost its data. */
const KEYS_HELD = 3;
/** At most one look for a new key in this time because a state was not accepted: anybody can send garbage. */
const LOOK_AGAIN_MS = 5000;

/** What a state is bound to: it is worth nothing to anybody else, nor for anything else. */
export interface StateBinding {
  readonly principal: string;
  /** Method and name of the request, or the session whose calls keep it to themselves. */
  readonly purpose: string;
}

export interface RequestStatesOptions {
  readonly secrets: readonly Uint8Array[];
  readonly store: SecretStore;
  readonly ttlMs: number;
}

export class RequestStates {
  readonly #options: RequestStatesOptions;
  #keys: readonly (Uint8Array | string)[] | undefined;
  #looked = 0;

  constructor(options: RequestStatesOptions) {
    this.#options = options;
    if (options.secrets.length > 0) this.#keys = options.secrets;
  }

  /** Fetches the key, if this node does not hold it yet. @throws StoreUnavailable */
  async load(): Promise<void> {
    if (!this.#keys) await this.refresh();
  }

  /**
   * Asks for the fleet's own key, offering the one that is held: a store that has lost its data gets it back, or tells
   * which one the others use by now. Both verify from then on. @throws StoreUnavailable
   */
  async refresh(): Promise<void> {
    if (this.#options.secrets.length > 0) return;
    const held = this.#keys ?? [];
    const shared = await this.#options.store.shared(SECRET, String(held[0] ?? randomBytes(32).toString('base64url')));
    if (shared !== held[0]) this.#keys = [shared, ...held.filter((key) => key !== shared)].slice(0, KEYS_HELD);
  }

  /** `onUnavailable` is told when a state was asked for and the key could not be had. */
  codec(binding: StateBinding, onUnavailable: () => void = () => {}): RequestState {
    const ready = async (): Promise<readonly RequestStateCodec[]> => {
      try {
        await this.load();
      } catch (error) {
        if (error instanceof StoreUnavailable) onUnavailable();
        throw error;
      }
      const ttlSeconds = Math.max(1, Math.round(this.#options.ttlMs / 1000));
      const bind = () => `${binding.principal}\n${binding.purpose}`;
      return (this.#keys ?? []).map((key) => createRequestStateCodec({ key, ttlSeconds, bind }));
    };
    // The SDK's codec takes the handler's context to compute the binding; ours is known already.
    const noContext = {} as Parameters<RequestStateCodec['verify']>[1];
    return {
      async mint(value) {
        const [signing] = await ready();
        return (signing as RequestStateCodec).mint(value, noContext);
      },
      verify: async (state) => {
        try {
          return await verifyWithAny(await ready(), state, noContext);
        } catch (error) {
          // Perhaps it was signed with a key that the fleet has had to make anew.
          if (!(await this.#lookAgain())) throw error;
          return verifyWithAny(await ready(), state, noContext);
        }
      },
    };
  }

  async #lookAgain(): Promise<boolean> {
    if (this.#options.secrets.length > 0 || Date.now() - this.#looked < LOOK_AGAIN_MS) return false;
    this.#looked = Date.now();
    const before = this.#keys;
    await this.refresh().catch(() => undefined);
    return this.#keys !== before;
  }
}

async function verifyWithAny(
  codecs: readonly RequestStateCodec[],
  state: string,
  context: Parameters<RequestStateCodec['verify']>[1],
): Promise<unknown> {
  let failure: unknown;
  for (const codec of codecs) {
    try {
      return await codec.verify(state, context);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
