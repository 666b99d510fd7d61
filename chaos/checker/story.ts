/** A history, arranged so that rules can ask it: calls with all that concerns them, sessions with their ends, faults. */
import type {
  Accepted,
  Call,
  Delivery,
  Done,
  Effect,
  Entry,
  Fault,
  Leftover,
  Note,
  OpenStream,
  Refused,
  Run,
  Served,
  Session,
  Subscription,
  Tally,
} from '../history.js';

type At<T> = T & { readonly at: number };

export interface CallStory {
  readonly call: At<Call>;
  readonly deliveries: At<Delivery>[];
  readonly effects: At<Effect>[];
  readonly tallies: At<Tally>[];
  accepted: At<Accepted> | undefined;
  done: At<Done> | undefined;
}

export interface SessionStory {
  readonly session: string;
  readonly user: string;
  readonly client: string;
  readonly deliveries: At<Delivery>[];
  readonly notes: At<Note>[];
  endingAt: number;
  deletedAt: number;
}

export interface Window {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly storeAway: boolean;
  readonly takesNodes: number;
}

export class Story {
  readonly entries: readonly Entry[];
  readonly calls = new Map<string, CallStory>();
  readonly sessions = new Map<string, SessionStory>();
  readonly windows: Window[] = [];
  readonly deliveries: At<Delivery>[] = [];
  readonly refused: At<Refused>[] = [];
  readonly served: At<Served>[] = [];
  readonly leftovers: At<Leftover>[] = [];
  readonly openStreams: At<OpenStream>[] = [];
  readonly subscriptions: At<Subscription>[] = [];
  run: Run | undefined;

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
    const open = new Map<string, At<Fault>>();
    for (const entry of entries) this.#take(entry, open);
    for (const fault of open.values()) this.#close(fault, Number.POSITIVE_INFINITY);
  }

  /** Whether anything in [from, to] fell into such a fault, or so soon after it that its traces are still there. */
  during(from: number, to: number, marginMs: number, matches: (window: Window) => boolean): boolean {
    return this.windows.some((window) => window.from <= to && from <= window.to + marginMs && matches(window));
  }

  ended(session: string | undefined, at: number): boolean {
    const story = session === undefined ? undefined : this.sessions.get(session);
    return story !== undefined && story.endingAt <= at;
  }

  #close(fault: At<Fault>, to: number): void {
    const { kind, storeAway, takesNodes, at: from } = fault;
    this.windows.push({ kind, from, to, storeAway, takesNodes });
  }

  #take(entry: Entry, open: Map<string, At<Fault>>): void {
    switch (entry.type) {
      case 'run':
        this.run = entry;
        break;
      case 'fault': {
        const begun = open.get(entry.fault);
        if (entry.phase === 'begin') open.set(entry.fault, entry);
        else if (begun) this.#close(begun, entry.at);
        if (entry.phase === 'end') open.delete(entry.fault);
        break;
      }
      case 'session':
        this.#session(entry);
        break;
      case 'call':
        this.calls.set(entry.op, {
          call: entry,
          deliveries: [],
          effects: [],
          tallies: [],
          accepted: undefined,
          done: undefined,
        });
        break;
      case 'accepted': {
        const story = this.calls.get(entry.op);
        if (story) story.accepted ??= entry;
        break;
      }
      case 'done': {
        const story = this.calls.get(entry.op);
        if (story) story.done = entry;
        break;
      }
      case 'effect':
        this.calls.get(entry.op)?.effects.push(entry);
        break;
      case 'tally':
        this.calls.get(entry.op)?.tallies.push(entry);
        break;
      case 'delivery':
        this.deliveries.push(entry);
        if (entry.op !== undefined) this.calls.get(entry.op)?.deliveries.push(entry);
        if (entry.session !== undefined) this.sessions.get(entry.session)?.deliveries.push(entry);
        break;
      case 'note':
        this.sessions.get(entry.session)?.notes.push(entry);
        break;
      case 'refused':
        this.refused.push(entry);
        break;
      case 'served':
        this.served.push(entry);
        break;
      case 'leftover':
        this.leftovers.push(entry);
        break;
      case 'open-stream':
        this.openStreams.push(entry);
        break;
      case 'subscription':
        this.subscriptions.push(entry);
        break;
    }
  }

  #session({ session, user, client, phase, at }: At<Session>): void {
    let story = this.sessions.get(session);
    if (!story) {
      const never = Number.POSITIVE_INFINITY;
      story = { session, user, client, deliveries: [], notes: [], endingAt: never, deletedAt: never };
      this.sessions.set(session, story);
    }
    if (phase === 'ending') story.endingAt = Math.min(story.endingAt, at);
    if (phase === 'deleted') story.deletedAt = Math.min(story.deletedAt, at);
  }
}
