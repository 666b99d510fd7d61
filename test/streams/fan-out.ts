/** Changes announced on any node reach the main streams on all nodes: each once, in one order for everybody. */
import { expect } from 'chai';
import { type Audience, withAudience } from './audience.js';
import { withChance } from './chance.js';
import { quantile, size, tell } from './scale.js';
import type { StreamSuite } from './stream-suite.js';

const STREAMS = size(45, 300);
const CHANGES = size(150, 1000);
/** Far beyond what is usual: it tells delivery from being found by the clock, and nothing finer. */
const GENEROUS_MS = 3000;

export const fanOut: StreamSuite = (fleet) => {
  const latencies = ({ announcers, listeners }: Audience): number[] =>
    listeners.flatMap((listener) =>
      announcers.flatMap((announcer) => {
        const heard = listener.heard.filter((told) => announcer.owns(told));
        const sent = announcer.sent.filter((told) => listener.wants(told));
        return heard.map(({ at }, i) => at - (sent[i]?.at ?? Number.NaN));
      }),
    );

  it(`gives ${STREAMS} streams what they want of ${CHANGES} changes, once and in order`, () =>
    withChance((chance) =>
      withAudience(fleet(), STREAMS, async (audience) => {
        const { announcers, listeners } = audience;
        const share = Math.ceil(CHANGES / announcers.length);
        await Promise.all(announcers.map((one) => one.announceMany(share, fleet().nodes.length, chance.fork())));
        await audience.barrier();
        for (const listener of listeners) {
          for (const announcer of announcers) {
            const heard = listener.heard.filter((told) => announcer.owns(told)).map(({ what }) => what);
            const sent = announcer.sent.filter((told) => listener.wants(told)).map(({ what }) => what);
            expect(heard).to.deep.equal(sent);
          }
          const peer = listeners.find(({ group }) => group === listener.group);
          expect(listener.heard.map(({ what }) => what)).to.deep.equal(peer?.heard.map(({ what }) => what));
        }
        const times = latencies(audience);
        const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(times, share).toFixed(1));
        tell(`${times.length} deliveries: p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`);
        expect(quantile(times, 1)).to.be.below(GENEROUS_MS);
      }),
    )).timeout(120_000);
};
