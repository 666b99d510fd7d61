/** A hundred clients of every kind at work on one deployment. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { Chance } from '../streams/chance.js';
import { RawSession } from '../support/raw-client.js';
import type { Deployment } from './deployment.js';
import {
  Asked,
  Counter,
  Listener,
  ModernCaller,
  type SteadyClient,
  Subscriber,
  Toiler,
  type Workplace,
} from './steady-clients.js';
import { Tally } from './tally.js';

/** How many there are of each kind; together a hundred. */
const COUNTERS = 30;
const TOILERS = 25;
const LISTENERS = 20;
const ASKED = 10;
const MODERN = 10;
const SUBSCRIBERS = 5;

/** They come one after the other and not as one thundering herd. */
const OPENED_AT_ONCE = 10;

export class Load {
  readonly tally = new Tally();
  readonly #clients: readonly SteadyClient[];
  readonly #running: Promise<void>[];
  #stopped = false;

  private constructor(tally: Tally, clients: readonly SteadyClient[]) {
    this.tally = tally;
    this.#clients = clients;
    this.#running = clients.map((client) => client.run(() => this.#stopped));
    // Whoever stops the load takes the failure.
    for (const running of this.#running) running.catch(() => undefined);
  }

  /** Opens all sessions, then sets everybody to work. */
  static async start(deployment: Deployment, seed: number): Promise<Load> {
    const tally = new Tally();
    const chance = new Chance(seed);
    const place = (): Workplace => ({ target: deployment, worker: deployment.worker, tally, chance: chance.fork() });
    const inSession = (Kind: new (place: Workplace, session: RawSession) => SteadyClient, capabilities = {}) => {
      return async () => new Kind(place(), await RawSession.open(deployment, { capabilities }));
    };
    const plans: (() => Promise<SteadyClient>)[] = [
      ...times(COUNTERS, inSession(Counter)),
      ...times(TOILERS, inSession(Toiler)),
      ...times(LISTENERS, inSession(Listener)),
      ...times(ASKED, inSession(Asked, Asked.capabilities)),
      ...times(MODERN, async () => new ModernCaller(place())),
      ...times(SUBSCRIBERS, async () => new Subscriber(place())),
    ];
    const clients: SteadyClient[] = [];
    while (plans.length > 0) {
      clients.push(...(await Promise.all(plans.splice(0, OPENED_AT_ONCE).map((plan) => plan()))));
    }
    return new Load(tally, clients);
  }

  /** Resolves when this many more requests were answered: the load is really there. */
  async answers(count: number): Promise<void> {
    const enough = this.tally.answered + count;
    while (this.tally.answered < enough) await pause(20);
  }

  /** Lets everybody finish what was begun, and checks that each has what it was promised. */
  async stop(): Promise<Tally> {
    this.#stopped = true;
    await Promise.all(this.#running);
    try {
      const verified = await Promise.allSettled(this.#clients.map((client) => client.verify()));
      const broken = verified.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
      expect(broken, 'promises that were not kept').to.deep.equal([]);
    } finally {
      for (const client of this.#clients) client.close();
    }
    return this.tally;
  }
}

const times = <T>(count: number, make: T): T[] => Array.from({ length: count }, () => make);
