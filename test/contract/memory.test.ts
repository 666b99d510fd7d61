/** The contract over the embedded store. What only it has is in memory-*.test.ts. */
import { openMemory } from './memory-harness.js';
import { storeContract } from './store.js';

storeContract('memory', openMemory);
