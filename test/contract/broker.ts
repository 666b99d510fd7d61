/** Contract of `Broker`: letters that are not lost, signals that reach every node. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Letter, Signal } from '../../src/core/ports/broker.js';
import type { Store } from '../../src/core/ports/store.js';
import { eventually } from '../support/eventually.js';
import { describeContract, inTime, type ListeningNode, listen, type OpenHarness, settle, timesOf } from './harness.js';

const letter = (message: string): Letter => ({ sessionId: randomUUID(), message });

/** Letters come at least once; the first time of each tells the order. */
const firstTimes = ({ letters }: ListeningNode): string[] => [...new Set(letters.map(({ message }) => message))];

export function brokerContract(name: string, openHarness: OpenHarness): void {
  describeContract(`${name}: letters`, openHarness, (open) => {
    it('reach the node they are addressed to, and no other', async () => {
      const { stores } = await open();
      const [a, b] = [await listen(stores[0]), await listen(stores[1])];
      const [toA, toB] = [letter('{"text":"to ü\\n"}'), letter('x'.repeat(500_000))];
      expect(await stores[0].broker.post(b.token, toB)).to.equal(true);
      expect(await stores[0].broker.post(a.token, toA)).to.equal(true);
      await Promise.all([a, b].map((node) => node.until(() => node.letters.length > 0, 'a letter')));
      await settle(stores[0], a);
      await settle(stores[1], b);
      expect(a.letters).to.deep.equal([toA]);
      expect(b.letters).to.deep.equal([toB]);
    });

    it('arrive in the order in which they were posted', async () => {
      const { stores } = await open();
      const node = await listen(stores[1]);
      const messages = timesOf(200).map((i) => `letter ${i}`);
      for (const message of messages) await stores[0].broker.post(node.token, letter(message));
      await node.until(() => firstTimes(node).length >= 200, '200 letters');
      expect(firstTimes(node)).to.deep.equal(messages);
    });

    it('all arrive when many are posted at once from both nodes', async () => {
      const { stores } = await open();
      const node = await listen(stores[1]);
      const messages = timesOf(500).map((i) => `letter ${i}`);
      const posts = messages.map((m, i) => (stores[i % 2] as Store).broker.post(node.token, letter(m)));
      expect(await Promise.all(posts)).not.to.include(false);
      await node.until(() => firstTimes(node).length >= 500, '500 letters');
      expect(firstTimes(node)).to.have.members(messages);
    });

    it('are refused for a token that no node has, and nothing is kept for one that gets it', async () => {
      const { stores } = await open();
      const token = randomUUID();
      expect(await stores[0].broker.post(token, letter('too early'))).to.equal(false);
      const node = await listen(stores[1], { token });
      expect(await stores[0].broker.post(token, letter('in time'))).to.equal(true);
      await node.until(() => node.letters.length > 0, 'a letter');
      expect(node.letters[0]?.message).to.equal('in time');
    });

    it('are taken although the lease of the node has lapsed: it may be alive, and reads them then', async () => {
      const harness = await open({ nodeLeaseMs: 120_000 }, { nodeLeaseMs: 300 });
      const [a, b] = harness.stores;
      const node = await listen(b);
      await inTime(harness, async () => !(await a.nodes.isAlive(node.token)), 'end of the lease');
      expect(await a.broker.post(node.token, letter('late'))).to.equal(true);
      await node.until(() => node.letters.length > 0, 'a letter');
    });

    it('carry the context of a trace where they have one', async () => {
      const { stores } = await open();
      const node = await listen(stores[1]);
      const traced = { ...letter('traced'), traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
      const plain = letter('plain');
      for (const one of [traced, plain]) await stores[0].broker.post(node.token, one);
      await node.until(() => firstTimes(node).length === 2, 'both letters');
      expect(node.letters.filter(({ message }) => message === 'traced')[0]).to.deep.equal(traced);
      expect(node.letters.filter(({ message }) => message === 'plain')[0]).to.deep.equal(plain);
    });

    it('are counted until they are read', async () => {
      const { stores } = await open();
      const node = await listen(stores[0]);
      // A server that has never posted a letter is told how first, and the count would overtake the letters.
      await stores[0].broker.post(node.token, letter('first'));
      await node.until(() => node.letters.length > 0, 'the first letter');
      await eventually(async () => expect(await stores[0].broker.depth()).to.equal(0));
      // Asked in one breath: nothing can be read in between.
      const [, , depth] = await Promise.all([
        stores[0].broker.post(node.token, letter('one')),
        stores[0].broker.post(node.token, letter('two')),
        stores[0].broker.depth(),
      ]);
      expect(depth).to.be.within(1, 2);
      await node.until(() => firstTimes(node).length === 3, 'all letters');
      await eventually(async () => expect(await stores[0].broker.depth()).to.equal(0));
    });

    it('are refused once the node has left', async () => {
      const { stores } = await open();
      const node = await listen(stores[1]);
      await stores[1].broker.stop();
      await stores[1].nodes.release(`node-${node.token}`, node.token);
      expect(await stores[0].broker.post(node.token, letter('too late'))).to.equal(false);
    });
  });

  describeContract(`${name}: signals`, openHarness, (open) => {
    it('reach every node, the sender included, as they were sent', async () => {
      const { stores } = await open();
      const nodes = [await listen(stores[0]), await listen(stores[1])];
      const sessionId = randomUUID();
      const signals: Signal[] = [
        { kind: 'ended', sessionId },
        { kind: 'cancelled', sessionId, requestId: 7, reason: 'ü "quoted"\n' },
        { kind: 'cancelled', sessionId, requestId: '7' },
        { kind: 'level', sessionId, level: 'debug' },
        { kind: 'initialized', sessionId },
        { kind: 'subscription', sessionId, uri: 'test://x', active: false },
        { kind: 'tail-free', sessionId, streamId: 'main' },
      ];
      for (const [i, signal] of signals.entries()) await (stores[i % 2] as Store).broker.signal(signal);
      for (const node of nodes) {
        await node.until(() => node.signals.length >= signals.length, 'all signals');
        expect(node.signals).to.have.deep.members(signals);
      }
    });

    it('do not reach a node that has stopped', async () => {
      const { stores } = await open();
      const [a, b] = [await listen(stores[0]), await listen(stores[1])];
      await stores[1].broker.stop();
      await settle(stores[0], a);
      expect(b.signals).to.deep.equal([]);
    });
  });

  describeContract(`${name}: delivery`, openHarness, (open) => {
    it('never happens inside another call of a handler, or before the cause has returned', async () => {
      const { stores } = await open();
      const [store] = stores;
      let depth = 0;
      let deepest = 0;
      let answers = 0;
      const node = await listen(store, {
        onTold: () => {
          depth += 1;
          deepest = Math.max(deepest, depth);
          if (answers < 20) {
            answers += 1;
            void store.broker.signal({ kind: 'initialized', sessionId: `answer ${answers}` });
            void store.broker.post(node.token, letter(`answer ${answers}`));
          }
          depth -= 1;
        },
      });
      depth += 1;
      const sent = store.broker.signal({ kind: 'initialized', sessionId: 'first' });
      depth -= 1;
      await sent;
      await node.until(() => node.signals.length >= 21 && firstTimes(node).length >= 20, 'all answers');
      expect(deepest).to.equal(1);
    });

    it('stops twice without complaint', async () => {
      const { stores } = await open();
      await listen(stores[0]);
      await stores[0].broker.stop();
      await stores[0].broker.stop();
    });
  });
}
