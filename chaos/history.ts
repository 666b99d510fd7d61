/**
 * What clients saw, in the order in which they saw it: the only thing the checker is given.
 *
 * One entry is one JSON line, so that a history survives the run that made it and can be judged again. Times are
 * milliseconds since the run began, by a clock that no fault can shift. Beside what clients saw there stand the faults
 * (to know what is excused), the ledger of effects (the outside world that calls change) and what was left in the store
 * of sessions that had ended.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

/** Who a payload says it is for; handlers put it into everything they say. */
export interface Claim {
  readonly op?: string | undefined;
  readonly session?: string | undefined;
  readonly user?: string | undefined;
}

export interface Run {
  readonly type: 'run';
  readonly seed: number;
  readonly minutes: number;
  readonly leaseMs: number;
  readonly plant?: string | undefined;
}

export interface Fault {
  readonly type: 'fault';
  readonly fault: string;
  readonly kind: string;
  readonly phase: 'begin' | 'end';
  readonly target?: string | undefined;
  /** Some node cannot reach the store meanwhile, so 503 is the right answer. */
  readonly storeAway: boolean;
  /** How many nodes may be taken for dead because of it; a call that may be repeated may be run once more for each. */
  readonly takesNodes: number;
}

export interface Session {
  readonly type: 'session';
  readonly session: string;
  readonly user: string;
  readonly client: string;
  /** `ending`: the client has sent DELETE; `deleted`: it has been acknowledged. */
  readonly phase: 'opened' | 'ending' | 'deleted';
}

export interface Call {
  readonly type: 'call';
  readonly op: string;
  readonly tool: string;
  /** Undefined: the request belongs to no session (modern era). */
  readonly session: string | undefined;
  readonly user: string;
  readonly client: string;
  /** Whether the tool says of itself that it may be run twice. */
  readonly repeatable: boolean;
}

/** The server took the call over in a way that can be resumed: it owes an answer now. */
export interface Accepted {
  readonly type: 'accepted';
  readonly op: string;
}

export interface Delivery {
  readonly type: 'delivery';
  /** What the receiver is. */
  readonly session: string | undefined;
  readonly user: string;
  /** `main`, or the op whose stream it is. */
  readonly stream: string;
  readonly connection: string;
  readonly eventId?: string | undefined;
  /** The whole stream read again from an early event, to compare: not a delivery in the sense of "once". */
  readonly replay?: boolean | undefined;
  readonly what: 'progress' | 'answer' | 'question' | 'note' | 'change' | 'history_lost' | 'other';
  /** The call it belongs to by its JSON-RPC id or progress token, as the receiver knows it. */
  readonly op?: string | undefined;
  /** What the payload says of itself. */
  readonly claim?: Claim | undefined;
  /** Progress, or the number of a note. */
  readonly number?: number | undefined;
  readonly uri?: string | undefined;
  readonly error?: { readonly code: number; readonly message: string; readonly retryable: boolean } | undefined;
}

/** An HTTP answer that is no success. */
export interface Refused {
  readonly type: 'refused';
  readonly status: number;
  readonly route: string;
  readonly session: string | undefined;
  /** When the request was sent: what was true in between excuses it. */
  readonly since: number;
  readonly op?: string | undefined;
  readonly message?: string | undefined;
}

/** A request of a session that had a success; after a deletion there must be none. */
export interface Served {
  readonly type: 'served';
  readonly session: string;
  readonly route: string;
  readonly since: number;
}

/** The client's last word on its call. */
export interface Done {
  readonly type: 'done';
  readonly op: string;
  /**
   * `answered`: result or error; `unknown`: the connection broke before anything was accepted; `refused`: an HTTP
   * status said no; `cancelled`, `ended`: the client withdrew the call, or its session; `lost`: accepted, and no answer
   * came however long the client asked for it.
   */
  readonly outcome: 'answered' | 'unknown' | 'refused' | 'cancelled' | 'ended' | 'lost';
}

/** A message to a session from outside of any call, numbered by its sender. */
export interface Note {
  readonly type: 'note';
  readonly session: string;
  readonly number: number;
  /** `stored`: the sender was told so; `unknown`: it was told nothing, or that the store is away. */
  readonly phase: 'sent' | 'stored' | 'unknown';
}

export interface Subscription {
  readonly type: 'subscription';
  /** The stream (modern era), or the session, on whose main stream it is told. */
  readonly subscription: string;
  readonly session: string | undefined;
  readonly user: string;
  readonly uri: string;
  readonly phase: 'open' | 'closed';
}

/** From the ledger: a handler did what the call is for. */
export interface Effect {
  readonly type: 'effect';
  readonly op: string;
  readonly session: string | undefined;
  readonly user: string;
  readonly node: string;
}

/** A session's own counter for an op, read back from the store at the end. */
export interface Tally {
  readonly type: 'tally';
  readonly op: string;
  readonly session: string;
  readonly value: number;
}

/** Keys of an ended session that were still there when everything was quiet. */
export interface Leftover {
  readonly type: 'leftover';
  readonly session: string;
  readonly keys: readonly string[];
}

/** A stream of a deleted session that was still open when it should not have been. */
export interface OpenStream {
  readonly type: 'open-stream';
  readonly session: string;
  readonly afterMs: number;
}

export interface Memory {
  readonly type: 'memory';
  /** Resident size of each node, in MB. */
  readonly nodes: readonly number[];
  readonly redis: number;
}

type Body =
  | Run
  | Fault
  | Session
  | Call
  | Accepted
  | Delivery
  | Refused
  | Served
  | Done
  | Note
  | Subscription
  | Effect
  | Tally
  | Leftover
  | OpenStream
  | Memory;

export type Entry = Body & { readonly at: number };

export class History {
  readonly entries: Entry[] = [];
  readonly #began = performance.now();
  readonly #file: string | undefined;

  constructor(file?: string) {
    this.#file = file;
    if (file !== undefined) writeFileSync(file, '');
  }

  get now(): number {
    return Math.round(performance.now() - this.#began);
  }

  /** `at`: for what is known only afterwards. */
  add(body: Body, at = this.now): void {
    const entry = { at, ...body };
    this.entries.push(entry);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

export function readHistory(file: string): Entry[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}
