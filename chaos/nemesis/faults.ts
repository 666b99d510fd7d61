/**
 * The faults: what each does to the world, how long it lasts, and what it excuses.
 *
 * Each leaves the world whole again; the nemesis only says when, where and for how long.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../../test/streams/chance.js';
import type { Stage } from '../clients/stage.js';
import type { Place, World } from '../world.js';

export interface Strike {
  readonly world: World;
  readonly stage: Stage;
  readonly place: Place;
  readonly chance: Chance;
  readonly leaseMs: number;
}

export interface FaultKind {
  readonly kind: string;
  /** Whether it strikes one node, which is then named in the history. */
  readonly aimed: boolean;
  readonly storeAway: boolean;
  /** Of those that befall the store as a whole none: it is away for all, and nobody may take anybody for dead. */
  readonly takesNodes: number;
  strike(strike: Strike): Promise<void>;
}

/** For a while: shorter than anybody's patience, or longer than a lease. */
const aWhile = (chance: Chance): Promise<void> => pause(chance.between(600, 3500));
const pastTheLease = ({ chance, leaseMs }: Strike): Promise<void> => pause(leaseMs * 1.3 + chance.between(0, 1500));

async function killNode({ world, place, chance }: Strike): Promise<void> {
  const { node } = place;
  node?.signal('SIGKILL');
  // The balancer goes on sending until somebody has noticed.
  await pause(chance.between(0, 700));
  world.withdraw(place);
  await node?.exited;
  await aWhile(chance);
  await world.boot(place);
}

const kill: FaultKind = { kind: 'kill -9 of a node', aimed: true, storeAway: false, takesNodes: 1, strike: killNode };

const freeze: FaultKind = {
  kind: 'node stopped past its lease',
  aimed: true,
  storeAway: true,
  takesNodes: 1,
  async strike(strike) {
    strike.place.node?.signal('SIGSTOP');
    await pastTheLease(strike);
    strike.place.node?.signal('SIGCONT');
  },
};

const roll: FaultKind = {
  kind: 'roll',
  aimed: false,
  storeAway: false,
  takesNodes: 3,
  async strike({ world }) {
    for (const place of world.places) {
      const node = world.withdraw(place);
      await node?.stop();
      await world.boot(place);
    }
  },
};

const killRedis: FaultKind = {
  kind: 'kill -9 of Redis',
  aimed: false,
  storeAway: true,
  takesNodes: 0,
  async strike({ world, chance }) {
    await world.store.kill();
    await aWhile(chance);
    await world.store.restart();
  },
};

const failOver: FaultKind = {
  kind: 'failover of Redis',
  aimed: false,
  storeAway: true,
  takesNodes: 0,
  async strike({ world }) {
    await world.store.failOver();
    world.followStore();
  },
};

const freezeRedis: FaultKind = {
  kind: 'Redis stopped',
  aimed: false,
  storeAway: true,
  takesNodes: 0,
  async strike({ world, chance }) {
    world.store.freeze();
    await aWhile(chance);
    world.store.thaw();
  },
};

const pauseRedis: FaultKind = {
  kind: 'CLIENT PAUSE',
  aimed: false,
  storeAway: true,
  takesNodes: 0,
  async strike({ world, chance }) {
    const ms = chance.between(500, 3000);
    await world.store.ask(['CLIENT', 'PAUSE', String(ms), chance.pick(['WRITE', 'ALL'])]);
    await pause(ms);
  },
};

const partition: FaultKind = {
  kind: 'node and Redis parted',
  aimed: true,
  storeAway: true,
  takesNodes: 1,
  async strike(strike) {
    const { place, chance } = strike;
    place.toStore.silence();
    await (chance.next() < 0.5 ? pastTheLease(strike) : aWhile(chance));
    // Either what was held back flows, or the connections turn out to be dead.
    if (chance.next() < 0.5) place.toStore.cut();
    place.toStore.heal();
  },
};

const cutStore: FaultKind = {
  kind: 'connections to Redis cut',
  aimed: true,
  storeAway: true,
  takesNodes: 0,
  async strike({ place, chance }) {
    place.toStore.cut();
    await pause(chance.between(0, 300));
  },
};

const cutClients: FaultKind = {
  kind: 'connections of clients cut',
  aimed: true,
  storeAway: false,
  takesNodes: 0,
  async strike({ place, chance }) {
    for (let times = chance.between(1, 4); times > 0; times -= 1) {
      place.toNode.cut(0.7);
      await pause(chance.between(100, 800));
    }
  },
};

const losePublished: FaultKind = {
  kind: 'published messages lost',
  aimed: false,
  storeAway: false,
  takesNodes: 0,
  async strike({ world, chance }) {
    const share = chance.pick([0.3, 0.7, 1]);
    for (const { toStore } of world.places) toStore.lossOfPublished = share;
    await pause(chance.between(2000, 5000));
    for (const { toStore } of world.places) toStore.heal();
  },
};

const killSubscribers: FaultKind = {
  kind: 'CLIENT KILL TYPE pubsub',
  aimed: false,
  storeAway: false,
  takesNodes: 0,
  async strike({ world, chance }) {
    for (let times = chance.between(1, 3); times > 0; times -= 1) {
      await world.store.ask(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await pause(chance.between(100, 900));
    }
  },
};

const delay: FaultKind = {
  kind: 'slow link to Redis',
  aimed: true,
  storeAway: true,
  takesNodes: 0,
  async strike({ place, chance }) {
    place.toStore.delayMs = chance.between(20, 300);
    await aWhile(chance);
    place.toStore.heal();
  },
};

const slowClients: FaultKind = {
  kind: 'slow readers',
  aimed: true,
  storeAway: false,
  takesNodes: 0,
  async strike({ place, chance }) {
    place.toNode.silence();
    await aWhile(chance);
    place.toNode.heal();
  },
};

const restartAll: FaultKind = {
  kind: 'restart of everything',
  aimed: false,
  storeAway: true,
  takesNodes: 1,
  async strike({ world, chance }) {
    const nodes = world.places.map((place) => world.withdraw(place));
    for (const node of nodes) node?.signal('SIGKILL');
    await world.store.kill();
    await Promise.all(nodes.map((node) => node?.exited));
    await pause(chance.between(0, 1000));
    await world.store.restart();
    await Promise.all(world.places.map((place) => world.boot(place)));
  },
};

export const FAULTS: readonly FaultKind[] = [
  kill,
  freeze,
  roll,
  killRedis,
  failOver,
  freezeRedis,
  pauseRedis,
  partition,
  cutStore,
  cutClients,
  losePublished,
  killSubscribers,
  delay,
  slowClients,
  restartAll,
];
