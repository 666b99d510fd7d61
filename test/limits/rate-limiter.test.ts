/** One limit on requests, as a node keeps it: shares, refusals without asking, a store that is away, bounded memory. */
import { expect } from 'chai';
import { RateLimiter, type Verdict } from '../../src/core/limits/rate-limiter.js';
import type { Rates } from '../../src/core/ports/rates.js';
import { StoreUnavailable } from '../../src/core/ports/store.js';
import { createMemoryState } from '../../src/memory/index.js';
import { createMemoryRates } from '../../src/memory/rates.js';

const WINDOW_MS = 10_000;

/** Several nodes on one store, whose clock a test moves; what they ask is counted. */
class Nodes {
  now = 1_000_000;
  asked = 0;
  away = false;
  readonly faults: Error[] = [];
  readonly #rates: Rates;

  constructor() {
    const rates = createMemoryRates(createMemoryState({ now: () => this.now }));
    this.#rates = {
      take: async (...args) => {
        this.asked += 1;
        if (this.away) throw new StoreUnavailable('away');
        return rates.take(...args);
      },
    };
  }

  node(limit: number, remembered = 100, rates = this.#rates): RateLimiter {
    return new RateLimiter({
      rates,
      limit,
      windowMs: WINDOW_MS,
      counterOf: (who) => who,
      onFault: (error) => this.faults.push(error),
      now: () => this.now,
      remembered,
    });
  }
}

const letThrough = async (asked: readonly (Verdict | Promise<Verdict>)[]): Promise<number> =>
  (await Promise.all(asked)).filter((verdict) => verdict === undefined).length;

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

describe('a limit on requests', () => {
  it('lets through exactly as many as it says where they are few, over all nodes and all at once', async () => {
    const nodes = new Nodes();
    const three = times(3, () => nodes.node(20));
    expect(await letThrough(times(100, (i) => (three[i % 3] as RateLimiter).admit('ada')))).to.equal(20);
    expect(await letThrough(times(9, (i) => (three[i % 3] as RateLimiter).admit('bob')))).to.equal(9);
  });

  it('never lets through more where they are many, and nearly as many', async () => {
    const nodes = new Nodes();
    const three = times(3, () => nodes.node(10_000));
    let through = 0;
    for (const i of times(12_000, (n) => n)) {
      const verdict = await (three[i % 3] as RateLimiter).admit('ada');
      if (verdict === undefined) through += 1;
    }
    expect(through).to.be.within(10_000 - 3 * Math.ceil(10_000 / 32), 10_000);
    expect(nodes.asked, 'commands for 12,000 requests').to.be.below(600);
  });

  it('asks the store for one request in many under load, and no request waits for it but the first', async () => {
    const nodes = new Nodes();
    const node = nodes.node(100_000);
    expect(await node.admit('ada')).to.equal(undefined);
    for (const _ of times(5000, (n) => n)) {
      const verdict = node.admit('ada');
      expect(verdict, 'at once').to.equal(undefined);
      // The share that is fetched early comes in the meantime.
      await Promise.resolve();
    }
    expect(nodes.asked).to.be.below(10);
  });

  it('refuses without asking until the window is over, and says how long that is', async () => {
    const nodes = new Nodes();
    const node = nodes.node(2);
    for (const expected of [undefined, undefined, WINDOW_MS]) expect(await node.admit('ada')).to.equal(expected);
    const { asked } = nodes;
    nodes.now += 4000;
    for (const _ of times(50, (n) => n)) expect(node.admit('ada')).to.equal(6000);
    expect(nodes.asked).to.equal(asked);
    nodes.now += 6000;
    expect(await node.admit('ada')).to.equal(undefined);
  });

  it('does not take what is left of a share into the next window', async () => {
    const nodes = new Nodes();
    const [a, b] = [nodes.node(640), nodes.node(640)];
    // A share of 20, of which 19 are left.
    expect(await a.admit('ada')).to.equal(undefined);
    nodes.now += WINDOW_MS;
    let through = 0;
    for (const i of times(1000, (n) => n)) if ((await (i % 2 ? a : b).admit('ada')) === undefined) through += 1;
    expect(through).to.be.within(600, 640);
  });

  it('counts by itself while the store is away, from the first request on, and with the others when it is back', async () => {
    const nodes = new Nodes();
    const two = [nodes.node(10), nodes.node(10)] as const;
    nodes.away = true;
    for (const node of two) {
      let through = 0;
      // Slowly enough for the store to be asked again and again in between.
      for (const _ of times(30, (n) => n)) {
        if ((await node.admit('ada')) === undefined) through += 1;
        nodes.now += 150;
      }
      expect(through).to.equal(10);
    }
    nodes.away = false;
    nodes.now += 2000;
    expect(await letThrough(times(30, (i) => (two[i % 2] as RateLimiter).admit('ada')))).to.equal(10);
    expect(nodes.faults).to.deep.equal([]);
  });

  it('reports a fault of the store that is none of being away, and counts by itself', async () => {
    const nodes = new Nodes();
    const fault = new TypeError('wrong kind of value');
    const node = nodes.node(3, 100, { take: () => Promise.reject(fault) });
    expect(await letThrough(times(5, () => node.admit('ada')))).to.equal(3);
    expect(nodes.faults[0]).to.equal(fault);
  });

  it('remembers so many and no more, and of those the ones that are active', async () => {
    const nodes = new Nodes();
    const node = nodes.node(1000, 50);
    await node.admit('ada');
    for (const i of times(500, (n) => n)) {
      await node.admit(`passer-by ${i}`);
      // More than a share, so that the active one asks the store in between.
      if (i % 20 === 0) for (const _ of times(10, (n) => n)) await node.admit('ada');
    }
    expect(node.size).to.equal(50);
    const { asked } = nodes;
    expect(node.admit('ada'), 'still at hand').to.equal(undefined);
    expect(nodes.asked).to.equal(asked);
  });

  it('is none where it is 0', () => {
    const nodes = new Nodes();
    const node = nodes.node(0);
    for (const _ of times(100, (n) => n)) expect(node.admit('ada')).to.equal(undefined);
    expect([nodes.asked, node.size, node.on]).to.deep.equal([0, 0, false]);
  });
});
