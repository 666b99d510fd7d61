/**
 * Takes over the calls of dead nodes.
 *
 * Whoever notices that a lease is gone claims the calls in that node's list, one by one by compare and set, so that each
 * has exactly one survivor and a node that was only frozen finds itself fenced off. A request that may be repeated is
 * run again, into the same stream; any other gets an error that says it may be tried again, so that no client waits for
 * ever. Whether a client is connected at the time makes no difference. Who may not judge at the moment claims nothing: that is
 * asked after each answer of the store, since it may have stood still in between.
 *
 * A call that has brought down several nodes is not given the chance to bring down all.
 */
import {
  ErrorCode,
  errorResponse,
  isObject,
  isResponse,
  type JsonRpcId,
  type JsonRpcMessage,
  type JsonRpcRequest,
  type JsonRpcResponse,
  responseText,
} from '../core/jsonrpc.js';
import type { CallName, Claim } from '../core/ports/call-journal.js';
import { type LogEntry, MAIN_STREAM, START } from '../core/ports/event-log.js';
import type { SessionRecord } from '../core/ports/session-store.js';
import { StoreUnavailable } from '../core/ports/store.js';
import { StreamLost, StreamWriter } from '../core/stream-writer.js';
import { callerOf, JOURNAL_FORM, parseCall, traceOf } from './journaled-call.js';
import type { Caller, LegacyEra } from './legacy-era.js';
import type { Outlet } from './outlet.js';
import { mayBeRepeated } from './repeatable.js';
import { sseHandshake } from './session-opening.js';

/** Calls claimed at once; between two rounds other survivors get their share. */
const CLAIMS_PER_ROUND = 20;
/** A call is run this often in all, counting its first time. */
const RUNS = 3;
const READ_LIMIT = 500;
const PATIENCE_MS = 60_000;

type Claimed = Extract<Claim, { outcome: 'claimed' }>;

/** What is asked of the node each time, since it changes while the store is waited for. */
export interface Asks {
  /** Whether this node may take others for dead. */
  readonly mayJudge: () => boolean;
  /** Whether it is about to go itself: then it takes nothing more. */
  readonly leaving: () => boolean;
}

export class Recovery {
  readonly #era: LegacyEra;
  readonly #asks: Asks;
  /** Calls that a look is at; two looks may come upon the same one. */
  readonly #taking = new Set<string>();
  /** Calls of ours that are about to run. */
  readonly #beginning = new Set<string>();
  /** Calls that are ours, or may be, and that the store has interrupted. */
  readonly #unfinished = new Map<string, CallName>();

  constructor(era: LegacyEra, asks: Asks) {
    this.#era = era;
    this.#asks = asks;
  }

  #mayJudge(): boolean {
    return !this.#asks.leaving() && this.#asks.mayJudge();
  }

  /** One look at the fleet. @throws StoreUnavailable */
  async turn(): Promise<void> {
    const { store, nodeToken, logger } = this.#era.options;
    // What this node has not begun is found in its list, like all that it leaves behind.
    if (this.#asks.leaving()) return;
    await Promise.all([...this.#unfinished.values()].map((name) => this.#beginAgain(name)));
    if (!this.#mayJudge()) return;
    for (const dead of await store.nodes.dead()) {
      if (dead === nodeToken) continue;
      const calls = await store.calls.listed(dead, CLAIMS_PER_ROUND);
      if (!this.#mayJudge()) return;
      if (calls.length === 0) {
        await store.nodes.bury(dead);
        logger.info({}, 'a node has gone, and nothing of it is left');
        continue;
      }
      const taken = await Promise.all(calls.map((call) => this.#take(call, dead)));
      // More may be left, and other survivors are at it as well: look again soon instead of waiting for the clock.
      if (taken.includes(true)) setImmediate(() => void this.turn().catch(() => undefined));
    }
  }

  /** False: the call was left as it is. */
  async #take(name: CallName, dead: string): Promise<boolean> {
    const { store, nodeToken } = this.#era.options;
    const key = keyOf(name);
    if (this.#taking.has(key)) return false;
    this.#taking.add(key);
    try {
      // One that runs here is only asked whose it is. Where this node has lost it without noticing yet, it is left: the next
      // word of its handler finds the fence, and the look after that takes it over in order.
      const isHere = this.#isHere(name);
      const claim = isHere
        ? await store.calls.claim(name, nodeToken, nodeToken, JOURNAL_FORM)
        : await this.#claim(name, dead);
      if (!claim) return false;
      if (claim.outcome === 'claimed' && !isHere) this.#begin(name, claim);
      // The place of a call that somebody else has stays: it may be that of a claim which the dead one, if it only stands
      // still, will yet carry out. It goes when the call is over.
      if (claim.outcome === 'claimed' || claim.outcome === 'over') await store.calls.unlist(dead, name);
      return claim.outcome === 'over' || (claim.outcome === 'claimed' && !isHere);
    } finally {
      this.#taking.delete(key);
    }
  }

  /** Undefined: this node may not judge any more. */
  async #claim(name: CallName, dead: string): Promise<Claim | undefined> {
    const { store, nodeToken } = this.#era.options;
    // On the own list first: if this node dies between the two, the next survivor finds the call there.
    await store.calls.list(nodeToken, name);
    // The place stays: it may be that of a claim whose answer was lost, and one that is not is found empty.
    if (!this.#mayJudge()) return undefined;
    const claim = await store.calls.claim(name, dead, nodeToken, JOURNAL_FORM).catch((error: unknown) => {
      // It may have been carried out, and the one taken for dead may be back by the next look.
      this.#unfinished.set(keyOf(name), name);
      throw error;
    });
    if (claim.outcome !== 'claimed') await store.calls.unlist(nodeToken, name);
    return claim;
  }

  #isHere(name: CallName): boolean {
    const key = keyOf(name);
    return this.#beginning.has(key) || this.#unfinished.has(key) || this.#era.options.hub.runs(name);
  }

  #begin(name: CallName, claim: Claimed): void {
    // Two looks may have been told the same: the second time is no second run.
    if (this.#isHere(name)) return;
    const key = keyOf(name);
    this.#beginning.add(key);
    this.#goOn(name, claim)
      .catch((error: Error) => {
        // The store went away in between: the call is ours now, and nobody else will look after it.
        const isAway = error instanceof StreamLost ? error.reason === 'unavailable' : error instanceof StoreUnavailable;
        if (isAway) this.#unfinished.set(key, name);
        else if (!(error instanceof StreamLost)) this.#era.options.logger.error({ error }, 'recovery failed');
      })
      .finally(() => this.#beginning.delete(key));
  }

  /** Asked again whether it is ours: who stood still meanwhile may have lost it, and must not run it beside its new owner. */
  async #beginAgain(name: CallName): Promise<void> {
    const { store, nodeToken, logger } = this.#era.options;
    try {
      const claim = await store.calls.claim(name, nodeToken, nodeToken, JOURNAL_FORM);
      this.#unfinished.delete(keyOf(name));
      if (claim.outcome === 'claimed') this.#begin(name, claim);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) logger.error({ error }, 'recovery failed');
    }
  }

  async #goOn(name: CallName, { journal, claims }: Claimed): Promise<void> {
    const era = this.#era;
    const { store, metrics } = era.options;
    const call = parseCall(journal);
    const mayRun = claims < RUNS;
    const session = await store.sessions.touch(name.sessionId);
    if (!session) return era.unlist(name);
    const said = await this.#read(name.sessionId, call.ontoMain ? MAIN_STREAM : name.callId);
    const left = call.requests.filter(({ id }) => !said.answered.has(typed(id)));
    const outlet = new RecoveredOutlet(era, name, call.ontoMain, left.length, said.progress);
    if (left.length === 0) return outlet.close();

    const caller = callerOf(call);
    // The lost node's own span never ended, so nobody has seen it; what goes on here stays in its trace.
    const before = traceOf(call);
    const repeatable = mayRun ? await this.#repeatable(session, caller, left) : new Set<JsonRpcId>();
    for (const request of left.filter(({ id }) => !repeatable.has(id))) {
      const { id } = request;
      metrics.callRecovered('failed');
      era.span(session, request, caller, before)?.end({ type: 'node_lost' });
      const data = { retryable: true, reason: 'node_lost' };
      await outlet.result(errorResponse(id, ErrorCode.InternalError, 'The node that ran this request was lost', data));
    }
    const again = left.filter((request) => repeatable.has(request.id));
    if (again.length === 0) return;
    metrics.callRecovered('rerun');
    const [first] = again;
    if (first?.method === 'initialize') {
      const [request, effects] = sseHandshake(era, session, first);
      await era.run(session, [request], caller, outlet, {
        effects,
        spans: era.spans(session, [request], caller, before),
      });
    } else {
      await era.run(session, again, caller, outlet, { spans: era.spans(session, again, caller, before) });
    }
  }

  /** A server that cannot be asked which of its tools may be repeated leaves its clients an error, and not waiting. */
  async #repeatable(
    session: SessionRecord,
    caller: Caller,
    requests: readonly JsonRpcRequest[],
  ): Promise<Set<JsonRpcId>> {
    try {
      return await mayBeRepeated(this.#era, session, caller, requests);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      this.#era.options.logger.error({ error }, 'recovery: no server to ask what may be repeated');
      return new Set();
    }
  }

  /** What the dead node has said already: answers, and how far progress had come. */
  async #read(sessionId: string, streamId: string): Promise<{ answered: Set<string>; progress: Map<string, number> }> {
    const answered = new Set<string>();
    const progress = new Map<string, number>();
    for (let after: string = START; ; ) {
      const { entries } = await this.#era.options.store.log.read(sessionId, streamId, after, READ_LIMIT);
      for (const message of entries.flatMap(messageOf)) {
        if (isResponse(message)) answered.add(typed(message.id));
        const seen = progressOf(message);
        if (seen) progress.set(seen.token, seen.progress);
      }
      if (entries.length < READ_LIMIT) return { answered, progress };
      after = entries.at(-1)?.position ?? after;
    }
  }
}

/** Goes on with a stream that another node began: no HTTP response, the log alone. */
class RecoveredOutlet implements Outlet {
  readonly #era: LegacyEra;
  readonly #name: CallName;
  readonly #writer: StreamWriter;
  readonly #writeMain: (message: JsonRpcMessage) => Promise<void>;
  readonly #progress: ReadonlyMap<string, number>;
  readonly #ontoMain: boolean;
  #missing: number;

  constructor(
    era: LegacyEra,
    name: CallName,
    ontoMain: boolean,
    missing: number,
    progress: ReadonlyMap<string, number>,
  ) {
    const { store, hub, nodeToken } = era.options;
    const { sessionId, callId } = name;
    const streamId = ontoMain ? MAIN_STREAM : callId;
    this.#era = era;
    this.#name = name;
    this.#ontoMain = ontoMain;
    this.#missing = missing;
    this.#progress = progress;
    this.#writeMain = era.writeMain(sessionId);
    this.#writer = new StreamWriter({
      log: store.log,
      sessionId,
      streamId,
      call: { callId, owner: nodeToken },
      patienceMs: PATIENCE_MS,
      onStored: (outcome) => hub.appended(sessionId, streamId, outcome),
    });
  }

  get callId(): string {
    return this.#name.callId;
  }

  async result(response: JsonRpcResponse): Promise<void> {
    this.#missing -= 1;
    await this.#append(responseText(response), this.#missing === 0);
  }

  /** Progress that the client has seen is not told again: for one token it only ever grows. */
  async related(message: JsonRpcMessage): Promise<void> {
    const told = progressOf(message);
    if (told && told.progress <= (this.#progress.get(told.token) ?? Number.NEGATIVE_INFINITY)) return;
    await this.#append(JSON.stringify(message), false);
  }

  unrelated(message: JsonRpcMessage): Promise<void> {
    return this.#writeMain(message);
  }

  async unanswered(): Promise<void> {
    this.#missing -= 1;
    if (this.#missing === 0) await this.close();
  }

  async refuse({ id }: { readonly id: JsonRpcId }): Promise<void> {
    await this.result(errorResponse(id, ErrorCode.InternalError, 'The request was not completed', { retryable: true }));
  }

  /** Everything was answered: what is left is to end the stream. */
  async close(): Promise<void> {
    if (this.#ontoMain) {
      this.#era.drop(this.#name);
      this.#era.unlist(this.#name);
    } else await this.#append('', true);
  }

  abandon(): void {}
  closeStream(): void {}

  async #append(data: string, last: boolean): Promise<void> {
    await this.#writer.append(data, { end: last && !this.#ontoMain, finish: last });
    if (last) this.#era.unlist(this.#name);
  }
}

function messageOf({ data }: LogEntry): JsonRpcMessage[] {
  return data === '' ? [] : [JSON.parse(data) as JsonRpcMessage];
}

function progressOf(message: JsonRpcMessage): { readonly token: string; readonly progress: number } | undefined {
  if (!('method' in message) || message.method !== 'notifications/progress' || !isObject(message.params))
    return undefined;
  const { progressToken, progress } = message.params;
  if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return undefined;
  return typeof progress === 'number' ? { token: typed(progressToken), progress } : undefined;
}

function keyOf({ sessionId, callId }: CallName): string {
  return `${sessionId} ${callId}`;
}

/** Ids and tokens keep their type: 7 and "7" are two. */
function typed(id: JsonRpcId): string {
  return `${typeof id} ${id}`;
}
