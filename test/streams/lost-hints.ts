/**
 * Hints are lost again and again, since the connections that carry them are killed: what is stored arrives all the same.
 *
 * A change may then be told once for several of its kind, but never after the last of them only before it, and never
 * more often than it happened. Messages of a session's own are never merged.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { RawSession } from '../support/raw-client.js';
import { type Audience, withAudience } from './audience.js';
import { withChance } from './chance.js';
import { size, tell } from './scale.js';
import { type StreamSuite, sendNumber, upTo } from './stream-suite.js';

const STREAMS = size(30, 150);
const KILLING_MS = size(2000, 10_000);
const BETWEEN_KILLS_MS = [20, 200] as const;
const SUBSCRIBERS = 150;
/** Own messages go to every so many streams. */
const ADDRESSED = 3;

export const lostHints: StreamSuite = (fleet, worker) => {
  const expectEachKindTold = ({ announcers, listeners }: Audience): void => {
    for (const listener of listeners) {
      for (const announcer of announcers) {
        const wanted = announcer.sent.filter((told) => listener.wants(told));
        for (const what of new Set(wanted.map((told) => told.what))) {
          const sent = wanted.filter((told) => told.what === what);
          const heard = listener.heard.filter((told) => told.what === what);
          expect(heard.length, what).to.be.within(1, sent.length);
          expect(heard.at(-1)?.at, `the last of ${what}`).to.be.above(sent.at(-1)?.at ?? 0);
        }
      }
    }
  };

  it(`reaches ${STREAMS} streams, own messages once and in order`, () =>
    withChance((chance) =>
      withAudience(fleet(), STREAMS, async (audience) => {
        const { announcers, listeners } = audience;
        let going = true;
        let killed = 0;
        const end = performance.now() + KILLING_MS;
        const killing = (async () => {
          while (performance.now() < end) {
            killed += Number(await fleet().inspect.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']));
            await pause(chance.between(...BETWEEN_KILLS_MS));
          }
          going = false;
        })();
        const announcing = announcers.map(async (announcer) => {
          const own = chance.fork();
          while (going) await announcer.announceMany(1, fleet().nodes.length, own);
        });
        const addressed = listeners.filter((_, i) => i % ADDRESSED === 0);
        let sent = 0;
        for (; going; sent += 1) {
          await Promise.all(addressed.map(({ session }) => sendNumber(worker(), session.id, sent)));
          await pause(5);
        }
        await Promise.all([killing, ...announcing]);
        await audience.barrier();
        await eventually(() => addressed.every(({ numbers }) => numbers.includes(sent - 1)));

        expectEachKindTold(audience);
        for (const { numbers } of addressed) expect(numbers).to.deep.equal(upTo(sent));
        const changes = announcers.reduce((sum, announcer) => sum + announcer.sent.length, 0);
        tell(
          `${killed} connections killed; ${changes} changes, ${sent} messages to each of ${addressed.length} sessions`,
        );
        expect(killed, 'connections killed').to.be.above(fleet().nodes.length);
      }),
    )).timeout(120_000);

  it('reaches those whose subscription was not heard of either, however many they are', async () => {
    // More than are looked at in one portion.
    const sessions = await Promise.all(upTo(SUBSCRIBERS).map(() => RawSession.open(fleet())));
    const streams = await Promise.all(sessions.map((session) => session.stream({ node: 0 })));
    const uri = (i: number): string => `test://unheard/${i}`;
    const isTold = (i: number): boolean => streams[i]?.messages.some(({ params }) => params?.uri === uri(i)) ?? false;
    let cutting = true;
    const cut = (async () => {
      while (cutting) {
        await fleet().inspect.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
        await pause(5);
      }
    })();
    try {
      await Promise.all(
        sessions.map(async (session, i) => {
          await session.request('resources/subscribe', { uri: uri(i) }, { node: 1 });
          await session.callTool('touch', { uri: uri(i) }, { node: 2 });
        }),
      );
      cutting = false;
      await eventually(() => upTo(SUBSCRIBERS).every(isTold), { what: 'a change told to all', deadlineMs: 30_000 });
    } finally {
      cutting = false;
      await cut;
      // What stays open here would be counted by the trials after this one.
      for (const stream of streams) stream.close();
    }
  }).timeout(90_000);
};
