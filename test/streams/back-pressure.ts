/**
 * A client that does not read costs its node no memory: it is cut off, and finds in the log what it did not take.
 *
 * A node gives such a client some time, in which other suites can run: these are two, one to begin with and one to end
 * with. Not here: a client that reads slowly but steadily, which the network paces.
 */
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { RawSession } from '../support/raw-client.js';
import { Follower } from './follower.js';
import { size, tell } from './scale.js';
import { numbersOf, type StreamSuite, sendNumber, upTo, urlOf } from './stream-suite.js';

const MESSAGE_BYTES = 50_000;
const MESSAGES = size(400, 1000);
const MEGABYTE = 1024 * 1024;
/** What reading the log in pieces and the collector's leisure may take; all that was sent would be far beyond. */
const GROWTH_BYTES = 64 * MEGABYTE;
/** More than a log keeps, by more than a trim may leave over. */
const TOO_MANY = 10_400;
const AT_ONCE = 100;
const BETWEEN_LOOKS = 20;
const TAKES_MS = 30_000;

/** A metric by its name and labels, as they stand in the text. */
async function metric(nodeUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${nodeUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(line.lastIndexOf(' ')));
}

const residentBytes = (nodeUrl: string): Promise<number> => metric(nodeUrl, 'process_resident_memory_bytes');
const openStreams = (nodeUrl: string): Promise<number> => metric(nodeUrl, 'mcp_streams_open{kind="main"}');

const arrivesOn = (stream: Follower, number: number): Promise<void> => {
  const arrived = (): boolean => numbersOf([stream.received.at(-1)?.message ?? {}])[0] === number;
  return stream.until(arrived, `number ${number}`, TAKES_MS);
};

export function createBackPressure(): { readonly first: StreamSuite; readonly last: StreamSuite } {
  let session: RawSession;
  let stalled: Follower;
  /** Main streams on its node, this one included. */
  let open: number;

  const first: StreamSuite = (fleet, worker) => {
    const sendLarge = async (to: RawSession, from: number, count: number): Promise<void> => {
      const padding = 'x'.repeat(MESSAGE_BYTES);
      for (const i of upTo(count)) await sendNumber(worker(), to.id, from + i, padding);
    };

    it('makes its node grow no further than what it reads at once', async () => {
      const nodeUrl = urlOf(fleet(), 0);
      session = await RawSession.open(fleet());
      stalled = await Follower.get(session, nodeUrl);
      open = await openStreams(nodeUrl);
      await sendNumber(worker(), session.id, 0);
      await arrivesOn(stalled, 0);
      stalled.stall();
      const before = await residentBytes(nodeUrl);
      let most = before;
      for (let sent = 1; sent < MESSAGES; sent += BETWEEN_LOOKS) {
        await sendLarge(session, sent, Math.min(BETWEEN_LOOKS, MESSAGES - sent));
        most = Math.max(most, await residentBytes(nodeUrl));
      }
      tell(`${(MESSAGES * MESSAGE_BYTES) / 1e6} MB sent, node grew by ${((most - before) / MEGABYTE).toFixed(1)} MB`);
      expect(most - before, 'growth of the node').to.be.below(GROWTH_BYTES);
    }).timeout(120_000);

    it('is sent in full to a client that reads, however much waits for it', async () => {
      const reader = await RawSession.open(fleet());
      await sendLarge(reader, 0, 100);
      const stream = await Follower.get(reader, urlOf(fleet(), 1));
      await arrivesOn(stream, 99);
      await Promise.all(upTo(100).map((i) => sendNumber(worker(), reader.id, 100 + i, 'x'.repeat(MESSAGE_BYTES))));
      await eventually(() => numbersOf(stream.messages).length === 200, { what: 'all of them', deadlineMs: TAKES_MS });
      expect(numbersOf(stream.messages).slice(0, 100)).to.deep.equal(upTo(100));
      stream.close();
    }).timeout(60_000);

    it('begins with the word that history is lost, where more was sent than a log keeps', async () => {
      const late = await RawSession.open(fleet());
      const early = await Follower.get(late, urlOf(fleet(), 2));
      await sendNumber(worker(), late.id, 0);
      await arrivesOn(early, 0);
      early.close();
      for (let sent = 1; sent < TOO_MANY; sent += AT_ONCE) {
        await Promise.all(upTo(AT_ONCE).map((i) => sendNumber(worker(), late.id, sent + i)));
      }
      await sendNumber(worker(), late.id, -1);
      const rest = await Follower.get(late, urlOf(fleet(), 0), { lastEventId: early.lastEventId });
      await arrivesOn(rest, -1);
      const types = rest.received.map(({ event }) => event);
      expect([types[0], types.lastIndexOf('history_lost')]).to.deep.equal(['history_lost', 0]);
      const numbers = numbersOf(rest.messages);
      expect(new Set(numbers).size).to.equal(numbers.length);
      expect(numbers.length).to.be.within(9_000, TOO_MANY);
      rest.close();
    }).timeout(60_000);
  };

  const last: StreamSuite = (fleet) => {
    it('is cut off where nobody reads it, and gone on with where the client comes back', async () => {
      const nodeUrl = urlOf(fleet(), 0);
      const isCut = async (): Promise<boolean> => (await openStreams(nodeUrl)) < open;
      await eventually(isCut, { what: 'the end of the connection', deadlineMs: TAKES_MS, intervalMs: 200 });
      stalled.goOn();
      expect(await stalled.ended, 'cut off, not ended in order').to.equal(false);
      const rest = await Follower.get(session, urlOf(fleet(), 1), { lastEventId: stalled.lastEventId });
      await arrivesOn(rest, MESSAGES - 1);
      expect([stalled, rest].flatMap(({ messages }) => numbersOf(messages))).to.deep.equal(upTo(MESSAGES));
      rest.close();
    }).timeout(120_000);
  };

  return { first, last };
}
