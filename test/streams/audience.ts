/**
 * Many sessions that listen on main streams all over a fleet, and those who announce changes for them to hear.
 *
 * Each announcer has a kind of list and resources of its own, and announces one change after the other. So what a
 * listener must hear of it, and in which order, is known, although several announce at the same time.
 */
import type { Fleet } from '../support/fleet.js';
import type { RpcMessage } from '../support/json-rpc.js';
import { RawSession } from '../support/raw-client.js';
import type { Chance } from './chance.js';
import { Follower } from './follower.js';
import { numberOf, upTo, urlOf } from './stream-suite.js';

const KINDS = ['tools', 'prompts', 'resources'] as const;
/** Listeners of the same group subscribe to the same resources. */
const GROUPS = 4;
const BARRIER = 'test://audience/barrier';
/** Sessions opened at the same time; more would measure the start and not the streams. */
const AT_ONCE = 20;

/** A change, by the kind of its list or the URI of its resource. */
export interface Told {
  readonly what: string;
  readonly at: number;
}

const resource = (announcer: number, group: number): string => `test://audience/${announcer}/${group}`;

function changeOf({ method, params }: RpcMessage): string | undefined {
  if (method === 'notifications/resources/updated') return params.uri;
  return /^notifications\/(\w+)\/list_changed$/.exec(method ?? '')?.[1];
}

export class Announcer {
  readonly sent: Told[] = [];
  readonly #session: RawSession;
  readonly #own: readonly string[];

  constructor(session: RawSession, index: number) {
    this.#session = session;
    this.#own = [KINDS[index] as string, ...upTo(GROUPS).map((group) => resource(index, group))];
  }

  owns({ what }: Told): boolean {
    return this.#own.includes(what);
  }

  async announce(what: string, node: number): Promise<void> {
    this.sent.push({ what, at: performance.now() });
    const isResource = what.startsWith('test:');
    await this.#session.callTool(isResource ? 'touch' : 'mutate', isResource ? { uri: what } : { kind: what }, {
      node,
    });
  }

  async announceMany(count: number, nodes: number, chance: Chance): Promise<void> {
    for (let i = 0; i < count; i += 1) await this.announce(chance.pick(this.#own), chance.between(0, nodes - 1));
  }
}

export class Listener {
  readonly session: RawSession;
  readonly group: number;
  readonly heard: Told[] = [];
  readonly numbers: number[] = [];
  barriers = 0;
  #stream: Follower | undefined;

  constructor(session: RawSession, group: number) {
    this.session = session;
    this.group = group;
  }

  get resources(): string[] {
    return KINDS.map((_, announcer) => resource(announcer, this.group));
  }

  wants({ what }: Told): boolean {
    return !what.startsWith('test:') || this.resources.includes(what);
  }

  async listen(nodeUrl: string): Promise<void> {
    this.#stream = await Follower.get(this.session, nodeUrl, {
      onReceived: ({ message = {}, at }) => {
        const what = changeOf(message);
        if (what === BARRIER) this.barriers += 1;
        else if (what !== undefined) this.heard.push({ what, at });
        this.numbers.push(...[numberOf(message)].flatMap((number) => number ?? []));
      },
    });
  }

  get stream(): Follower {
    if (!this.#stream) throw new Error('it does not listen yet');
    return this.#stream;
  }
}

export interface Audience {
  readonly announcers: readonly Announcer[];
  readonly listeners: readonly Listener[];
  /** Everybody has what was announced before. */
  barrier(deadlineMs?: number): Promise<void>;
}

/** Gathers so many listeners for a trial, and sends them home when it is over. */
export async function withAudience(
  fleet: Fleet,
  size: number,
  trial: (audience: Audience) => Promise<void>,
): Promise<void> {
  const audience = await gatherAudience(fleet, size);
  try {
    await trial(audience);
  } finally {
    for (const { stream } of audience.listeners) stream.close();
  }
}

async function gatherAudience(fleet: Fleet, size: number): Promise<Audience> {
  const waiting = upTo(size);
  const listeners: Listener[] = [];
  const gather = async (): Promise<void> => {
    for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
      const listener = new Listener(await RawSession.open(fleet), i % GROUPS);
      for (const uri of [...listener.resources, BARRIER])
        await listener.session.request('resources/subscribe', { uri });
      await listener.listen(urlOf(fleet, i % fleet.nodes.length));
      listeners.push(listener);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, gather));
  const announcers = await Promise.all(KINDS.map(async (_, i) => new Announcer(await RawSession.open(fleet), i)));
  const herald = await RawSession.open(fleet);
  let barriers = 0;
  const audience: Audience = {
    announcers,
    listeners,
    async barrier(deadlineMs) {
      barriers += 1;
      await herald.callTool('touch', { uri: BARRIER });
      const reached = listeners.map((listener) =>
        listener.stream.until(() => listener.barriers >= barriers, `barrier ${barriers}`, deadlineMs),
      );
      await Promise.all(reached);
    },
  };
  // A stream that has just been opened may still be reading what came before; after the second one none is.
  await audience.barrier();
  await audience.barrier();
  for (const listener of listeners) listener.heard.length = 0;
  return audience;
}
