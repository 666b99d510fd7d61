/** Secrets of one process: they end with it, like everything else here. */
import type { SecretStore } from '../core/ports/secret-store.js';
import type { MemoryState } from './state.js';

export function createMemorySecretStore(state: MemoryState): SecretStore {
  return {
    async shared(name, candidate) {
      const secret = state.secrets.get(name) ?? candidate;
      state.secrets.set(name, secret);
      return secret;
    },
  };
}
