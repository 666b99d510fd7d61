/**
 * The model of one stream with several responses that want to send it: attach, take over, hand over, note, give back;
 * hints that come late or not at all, nodes that die, and the look by the clock that needs no hint.
 *
 * One client opens its connections one after the other and closes or loses them. An event is a number, its position.
 * Each step is one command to the store or the arrival of one hint. The log is the truth: a tail that asks it learns who
 * holds the stream.
 */
import { type Model, Steps } from './explore.js';

export type TailMutant = 'no fencing' | 'send before store' | 'hints only' | 'note by anybody';

interface Connection {
  open: boolean;
  /** Its node is dead: it sends nothing, and says nothing of how far it got. */
  dead: boolean;
  active: boolean;
  /** It may send: it knows from where. */
  started: boolean;
  own: number;
  sent: number[];
  /** Deeper than any event stored before it was taken over: what is beyond is somebody else's. */
  takenAt: number;
  /** Hints that are on their way to it. */
  hints: Hint[];
  /** It has stood still, or time went by: hints are not believed, the log is asked. */
  distrusts: boolean;
}

type Hint = { kind: 'event'; position: number } | { kind: 'taken' } | { kind: 'go'; position: number };

export interface TailState {
  stored: number;
  holder: number;
  former: number;
  noted: number;
  connections: Connection[];
  losses: number;
  deaths: number;
  /** A hand-over was not waited for to its end: then what was not noted may be sent again. */
  excused: boolean;
}

export interface TailBounds {
  readonly events: number;
  readonly connections: number;
  readonly mutant?: TailMutant;
}

/** Lost hints and dead nodes together. */
const MOST_HARM = 1;
const NOBODY = -1;

export function tailLease({ events: most, connections: count, mutant }: TailBounds): Model<TailState> {
  const ids = Array.from({ length: count }, (_, id) => id);
  const closed = (): Connection => ({
    open: false,
    dead: false,
    active: false,
    started: false,
    own: 0,
    sent: [],
    takenAt: Number.MAX_SAFE_INTEGER,
    hints: [],
    distrusts: false,
  });
  const initial: TailState = {
    stored: 0,
    holder: NOBODY,
    former: NOBODY,
    noted: 0,
    connections: ids.map(closed),
    losses: 0,
    deaths: 0,
    excused: false,
  };
  const of = (state: TailState, id: number): Connection => state.connections[id] as Connection;
  const lives = ({ open, dead }: Connection): boolean => open && !dead;

  const send = (connection: Connection, position: number): void => {
    connection.sent.push(position);
    connection.own = position;
  };
  const fallSilent = (state: TailState, id: number): void => {
    const connection = of(state, id);
    connection.active = false;
    if (state.former !== id) return;
    if (connection.started) state.noted = connection.own;
    state.former = NOBODY;
    if (state.holder !== NOBODY) of(state, state.holder).hints.push({ kind: 'go', position: state.noted });
  };
  /** What the log says: who holds the stream, and what comes next. */
  const look = (state: TailState, id: number): void => {
    const connection = of(state, id);
    if (mutant !== 'no fencing' && state.holder !== id) {
      fallSilent(state, id);
      return;
    }
    for (let position = connection.own + 1; position <= state.stored; position += 1) send(connection, position);
  };

  const arrivals = (steps: Steps<TailState>, state: TailState, id: number): void => {
    const connection = of(state, id);
    const [hint] = connection.hints;
    if (!hint || !lives(connection)) return;
    steps.when(true, `${hint.kind} reaches ${id}`, (next) => {
      const own = of(next, id);
      own.hints.shift();
      if (hint.kind === 'taken') {
        if (own.active && own.distrusts) look(next, id);
        else if (own.active) fallSilent(next, id);
      } else if (hint.kind === 'go') {
        if (own.active && !own.started) Object.assign(own, { started: true, own: hint.position });
      } else if (own.active && own.started) {
        if (own.distrusts || hint.position !== own.own + 1) look(next, id);
        else send(own, hint.position);
      }
    });
    steps.when(state.losses + state.deaths < MOST_HARM, `${hint.kind} to ${id} is lost`, (next) => {
      of(next, id).hints.shift();
      next.losses += 1;
    });
  };

  return {
    initial,
    steps(state) {
      const steps = new Steps(state);
      const holder = state.holder === NOBODY ? undefined : of(state, state.holder);
      steps.when(state.stored < most && mutant !== 'send before store', 'an event is stored', (next) => {
        next.stored += 1;
        if (next.holder !== NOBODY) of(next, next.holder).hints.push({ kind: 'event', position: next.stored });
      });
      if (mutant === 'send before store') {
        const ready = holder !== undefined && lives(holder) && holder.active && holder.started;
        const position = Math.max(state.stored, ...state.connections.flatMap(({ sent }) => sent)) + 1;
        steps.when(ready && position <= most, 'an event is sent', (next) => send(of(next, next.holder), position));
        const unstored = state.connections.some((one) => !one.dead && one.sent.some((sent) => sent > state.stored));
        steps.when(unstored, 'an event is stored', (next) => {
          next.stored += 1;
        });
      }
      for (const id of ids) {
        const connection = of(state, id);
        const fresh = !connection.open && !connection.dead && connection.sent.length === 0 && connection.own === 0;
        const before = id === 0 || state.connections[id - 1]?.takenAt !== undefined;
        const inTurn = before && (id === 0 || opened(state, id - 1));
        steps.when(fresh && inTurn && !opened(state, id), `${id} opens`, (next) => {
          const own = of(next, id);
          const former = next.holder;
          Object.assign(own, { open: true, active: true, takenAt: Number.MAX_SAFE_INTEGER - 1 });
          next.holder = id;
          if (former === NOBODY) {
            Object.assign(own, { started: true, own: next.noted });
            return;
          }
          of(next, former).takenAt = next.stored;
          if (next.former === NOBODY) next.former = former;
          of(next, former).hints.push({ kind: 'taken' });
        });
        arrivals(steps, state, id);
        steps.when(lives(connection) && connection.active && !connection.started, `${id} waits no longer`, (next) => {
          // By now whoever stood still does not believe its hints any more.
          for (const other of next.connections) if (other !== of(next, id)) other.distrusts = true;
          if (next.former !== NOBODY) next.excused = true;
          const own = of(next, id);
          if (next.holder !== id) return fallSilent(next, id);
          Object.assign(own, { started: true, own: next.noted });
        });
        const behind = connection.own < state.stored || state.holder !== id;
        const looks = lives(connection) && connection.active && connection.started && behind && mutant !== 'hints only';
        steps.when(looks, `${id} looks by the clock`, (next) => look(next, id));
        const mayNote = state.holder === id || mutant === 'note by anybody';
        const news = connection.started && connection.own !== state.noted;
        steps.when(lives(connection) && connection.active && mayNote && news, `${id} notes how far it is`, (next) => {
          next.noted = of(next, id).own;
          next.former = NOBODY;
        });
        steps.when(lives(connection) && id < count - 1 && opened(state, id + 1), `${id} is closed`, (next) => {
          const own = of(next, id);
          if (own.active && next.holder === id) {
            if (own.started) next.noted = own.own;
            next.holder = NOBODY;
            next.former = NOBODY;
          } else if (own.active) fallSilent(next, id);
          Object.assign(own, { open: false, active: false, hints: [] });
        });
        steps.when(lives(connection) && state.losses + state.deaths < MOST_HARM, `the node of ${id} dies`, (next) => {
          Object.assign(of(next, id), { dead: true, hints: [] });
          next.deaths += 1;
        });
        const deadHolder = holder === undefined || holder.dead;
        steps.when(lives(connection) && !connection.active && deadHolder, `${id}, silent, takes the stream`, (next) => {
          // Nobody holds it, or a node that is dead: what was not noted is sent again.
          if (next.holder !== NOBODY) next.excused = true;
          next.holder = id;
          next.former = NOBODY;
          const generation = { takenAt: Number.MAX_SAFE_INTEGER - 1, started: true, active: true, own: next.noted };
          Object.assign(of(next, id), generation);
        });
      }
      return steps.list;
    },
    fault({ stored, connections, excused }) {
      for (const [id, { sent, takenAt }] of connections.entries()) {
        const early = sent.find((position) => position > stored);
        if (early !== undefined) return `${id} has sent ${early}, which is not stored`;
        const stale = sent.find((position) => position > takenAt);
        if (stale !== undefined) return `${id} has sent ${stale}, which was stored after another one had taken over`;
      }
      const all = connections.flatMap(({ sent }) => sent);
      if (!excused && new Set(all).size < all.length) return `an event was sent twice: ${all.join(' ')}`;
      return undefined;
    },
    finalFault({ stored, connections }) {
      if (!connections.some(lives)) return undefined;
      const all = new Set(connections.flatMap(({ sent }) => sent));
      return all.size < stored ? `of ${stored} events ${all.size} were sent, though a response is open` : undefined;
    },
  };
}

/** Whether a connection has ever been open. */
function opened({ connections }: TailState, id: number): boolean {
  const connection = connections[id];
  return connection !== undefined && (connection.open || connection.takenAt !== Number.MAX_SAFE_INTEGER);
}
