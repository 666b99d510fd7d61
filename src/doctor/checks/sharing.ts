/** Whether a session opened on one node is known on all: they share one store under one prefix. */
import { ok, problem } from '../finding.js';
import { describe } from '../mcp.js';
import { type Check, sessionOf } from '../visit.js';
import { isUnknownSession } from './handshake.js';

const CHECK = 'sharing';
/** Enough for a balancer that chooses by chance to meet the other half of a fleet nearly certainly. */
const LEAST = 12;

export const sharing: Check = {
  name: CHECK,
  needsSession: true,
  async run(visit) {
    const session = sessionOf(visit);
    const count = Math.max(LEAST, 4 * visit.nodes.size);
    let unknown = 0;
    const odd = new Map<string, number>();
    for (let i = 0; i < count; i += 1) {
      const answer = await session.request('ping');
      if (isUnknownSession(answer)) unknown += 1;
      else if (answer.status !== 200) odd.set(describe(answer), (odd.get(describe(answer)) ?? 0) + 1);
    }
    if (unknown > 0) {
      visit.session = undefined;
      return [
        problem(CHECK, `${unknown} of ${count} requests of one session got 404: nodes do not share one store`, {
          anynode: 'the same REDIS_URL and KEY_PREFIX on all nodes; unset REDIS_URL means a store for one process',
        }),
      ];
    }
    const [what] = odd;
    if (what) {
      const [words, times] = what;
      return [
        problem(CHECK, `${times} of ${count} plain requests got ${words}`, { anynode: 'look at the log of the nodes' }),
      ];
    }
    return [ok(CHECK, `${count} requests of one session, on new connections, were all known`)];
  },
};
