/**
 * What this node holds open: running exchanges and tails, by session. Everything here dies with the process, and
 * nothing here is needed by another node.
 *
 * The hub passes on what the bus and the logs tell to whom it concerns. It keeps nothing for a session that has
 * neither a running exchange nor an open stream.
 */
import { DelayQueue } from './delay-queue.js';
import { parseDelivered } from './event-id.js';
import { inPortions, Portions } from './in-portions.js';
import type { JsonRpcId, JsonRpcMessage } from './jsonrpc.js';
import type { Logger } from './logger.js';
import { MainTail } from './main-tail.js';
import type { Signal, WakeUp } from './ports/broker.js';
import type { CallName } from './ports/call-journal.js';
import type { ChangeEntry } from './ports/change-log.js';
import { type EventLog, MAIN_STREAM, START } from './ports/event-log.js';
import type { Appended } from './stream-writer.js';
import type { Tail } from './tail.js';

/** A request being served here, as far as others on this node have to do with it. */
export interface OpenExchange {
  readonly id: string;
  readonly sessionId: string;
  /** Under which name it is journaled; undefined: it is not. */
  readonly callId: string | undefined;
  /** An answer of the client, or progress, for request `number` of this exchange. False: nobody waits for it. */
  receive(number: number, message: JsonRpcMessage): boolean;
  /** True: the request was running here. */
  cancel(requestId: JsonRpcId, reason: string | undefined): boolean;
  setLevel(level: string): void;
  /** The session is gone: stop work, send nothing more. */
  abort(): void;
  /** This node goes: stop work, say nothing, and leave the rest to a survivor. */
  relinquish(): void;
}

/**
 * How long a cancellation is remembered whose request has not been seen: it may overtake the request on its way to
 * another node. Longer than a request takes to arrive, short enough to cost nothing.
 */
const TOMBSTONE_MS = 5000;
/** Bound on remembered cancellations: a client that floods us with them gets no memory for it. */
const TOMBSTONES = 10_000;

/** Logs asked at once, and read in one turn of the clock: what ten thousand idle streams may cost is bounded. */
const LOOKS_AT_ONCE = 100;
const LOOKS_PER_TURN = 1000;

/** How often the process feels its own pulse, and how long a pause is taken for a standstill: less than a take-over waits. */
const PULSE_MS = 50;
const STALL_MS = 200;
/** Long enough to read what had queued up in the sockets. */
const DISTRUST_MS = 1000;

/** Made and thrown away with every quick request: no more than it needs. See roster.ts for why the exchanges are no set. */
interface Presence {
  readonly exchanges: OpenExchange[];
  tails: Set<Tail> | undefined;
}

export class Hub {
  readonly #log: EventLog;
  readonly #logger: Logger;
  readonly #isAlive: (nodeToken: string) => Promise<boolean>;
  /** Felt only while there is an open stream, whose hints it is about: waking up costs an idle node more than all its duties. */
  #pulse: NodeJS.Timeout | undefined;
  #tailCount = 0;
  #lastBeat = performance.now();
  #distrustUntil = 0;
  #exchangeCount = 0;
  /** Those that answers are on their way to. */
  readonly #named = new Map<string, OpenExchange>();
  readonly #bySession = new Map<string, Presence>();
  readonly #leaving = new Portions(LOOKS_AT_ONCE);
  /** Whom this round of looking has not come to yet. */
  #unseen: Tail[] = [];
  readonly #tombstones = new Set<string>();
  readonly #expire = new DelayQueue<string>(TOMBSTONE_MS, (key) => this.#tombstones.delete(key));

  constructor(log: EventLog, logger: Logger, isAlive: (nodeToken: string) => Promise<boolean>) {
    this.#log = log;
    this.#logger = logger;
    this.#isAlive = isAlive;
  }

  /**
   * A process that stood still may find hints in its sockets from before its streams were taken over, and must not act
   * on them: what it would send has been sent by somebody else. (Of changes it may tell again: they say that something is to
   * be read anew, and no more.) For a while it asks the log instead. The pulse is felt here, too: whoever was stopped
   * between waking up for its sockets and reading them reads before any timer.
   */
  get #mayTrustHints(): boolean {
    return this.#checkPulse() > this.#distrustUntil;
  }

  /** Whoever opens a stream has just asked the log, so nothing from before this moment can be taken for news. */
  #feelPulse(): void {
    this.#lastBeat = performance.now();
    this.#pulse ??= setInterval(() => {
      this.#lastBeat = this.#checkPulse();
    }, PULSE_MS).unref();
  }

  #stopPulse(): void {
    clearInterval(this.#pulse);
    this.#pulse = undefined;
  }

  #checkPulse(): number {
    const now = performance.now();
    if (now - this.#lastBeat > STALL_MS) this.#distrustUntil = now + DISTRUST_MS;
    return now;
  }

  get exchangeCount(): number {
    return this.#exchangeCount;
  }

  exchange(id: string): OpenExchange | undefined {
    return this.#named.get(id);
  }

  addExchange(exchange: OpenExchange): void {
    this.#exchangeCount += 1;
    this.#presence(exchange.sessionId).exchanges.push(exchange);
  }

  /** From now on answers find the exchange by its id. */
  nameExchange(exchange: OpenExchange): void {
    this.#named.set(exchange.id, exchange);
  }

  removeExchange(exchange: OpenExchange): void {
    const exchanges = this.#bySession.get(exchange.sessionId)?.exchanges ?? [];
    const at = exchanges.indexOf(exchange);
    if (at === -1) return;
    exchanges.splice(at, 1);
    this.#exchangeCount -= 1;
    if (this.#named.size > 0) this.#named.delete(exchange.id);
    this.#forgetIfIdle(exchange.sessionId);
  }

  /** Follows the tail until its response is over, then gives the stream up. */
  addTail(tail: Tail, closed: Promise<void>): void {
    this.#tailCount += 1;
    if (this.#tailCount === 1) this.#feelPulse();
    const presence = this.#presence(tail.sessionId);
    presence.tails ??= new Set();
    presence.tails.add(tail);
    void closed.then(async () => {
      const held = tail.holds;
      this.#tailCount -= 1;
      if (this.#tailCount === 0) this.#stopPulse();
      this.#bySession.get(tail.sessionId)?.tails?.delete(tail);
      this.#forgetIfIdle(tail.sessionId);
      if (held) await this.giveUp(tail);
    });
  }

  async giveUp(tail: Tail): Promise<void> {
    // A balancer that goes takes thousands of connections with it in one moment.
    await this.#leaving
      .run(() => this.#log.detachTail(tail.sessionId, tail.streamId, tail.holder, tail.delivered))
      .catch((error: Error) => this.#logger.debug({ error }, 'tail: not given up'));
  }

  /** Whether a journaled call runs here. */
  runs({ sessionId, callId }: CallName): boolean {
    return this.#bySession.get(sessionId)?.exchanges.some((exchange) => exchange.callId === callId) ?? false;
  }

  /** Sessions that are in use here and must not expire, each with the streams and calls that are. */
  inUse(): Map<string, Set<string>> {
    const inUse = new Map<string, Set<string>>();
    for (const [sessionId, { exchanges, tails }] of this.#bySession) {
      const names = new Set([...(tails ?? [])].map((tail) => tail.streamId));
      for (const { callId } of exchanges) if (callId !== undefined) names.add(callId);
      inUse.set(sessionId, names);
    }
    return inUse;
  }

  *tails(): Generator<Tail> {
    for (const { tails } of this.#bySession.values()) if (tails) yield* tails;
  }

  tailsOf(sessionId: string, streamId: string): Tail[] {
    const tails = this.#bySession.get(sessionId)?.tails ?? [];
    return [...tails].filter((tail) => tail.streamId === streamId);
  }

  /** Events that this node stored: straight to the tail if it is here (another node's was woken by the store). */
  appended(sessionId: string, streamId: string, outcome: Appended): void {
    for (const tail of this.tailsOf(sessionId, streamId)) {
      if (tail.holder.connectionId !== outcome.holder?.connectionId) void tail.verify();
      else if (this.#mayTrustHints) tail.offer(outcome.previous, outcome.entries);
      else void tail.look();
    }
  }

  wakeUp({ sessionId, streamId, holder, handedOver, events }: WakeUp): void {
    for (const tail of this.tailsOf(sessionId, streamId)) {
      // Not silenced by the note itself: it may be about a holder before this one.
      if (tail.holder.connectionId !== holder.connectionId) void tail.verify();
      else if (handedOver !== undefined) tail.start(parseDelivered(streamId, handedOver));
      else if (events && this.#mayTrustHints) tail.offer(events.previous, events.entries);
      else void tail.look();
    }
  }

  changesMissed(): void {
    for (const tail of this.tails()) if (tail instanceof MainTail) tail.changesMissed();
  }

  change(entry: ChangeEntry): void {
    for (const tail of this.tails()) if (tail instanceof MainTail) tail.offerChange(entry);
  }

  signal(signal: Signal): void {
    if (signal.kind === 'cancelled') {
      if (!this.cancel(signal.sessionId, signal.requestId, signal.reason))
        this.#bury(signal.sessionId, signal.requestId);
      return;
    }
    const presence = this.#bySession.get(signal.sessionId);
    if (!presence) return;
    switch (signal.kind) {
      case 'ended':
        this.end(signal.sessionId);
        break;
      case 'level':
        for (const exchange of presence.exchanges) exchange.setLevel(signal.level);
        break;
      case 'initialized':
        for (const tail of presence.tails ?? []) if (tail instanceof MainTail) tail.setInitialized();
        break;
      case 'subscription':
        for (const tail of presence.tails ?? []) {
          if (!(tail instanceof MainTail)) continue;
          tail.setSubscription(signal.uri, signal.active ? (signal.since ?? '') : undefined);
        }
        break;
      case 'tail-free':
        for (const tail of this.tailsOf(signal.sessionId, signal.streamId)) if (!tail.active) void this.#reclaim(tail);
        break;
    }
  }

  cancel(sessionId: string, requestId: JsonRpcId, reason: string | undefined): boolean {
    for (const exchange of this.#bySession.get(sessionId)?.exchanges ?? []) {
      if (exchange.cancel(requestId, reason)) return true;
    }
    return false;
  }

  /** Whether this request was cancelled before it arrived here. */
  wasCancelled(sessionId: string, requestId: JsonRpcId): boolean {
    return this.#tombstones.size > 0 && this.#tombstones.has(tombstone(sessionId, requestId));
  }

  /** The session is gone: its calls stop, its streams close. */
  end(sessionId: string): void {
    const presence = this.#bySession.get(sessionId);
    if (!presence) return;
    for (const exchange of [...presence.exchanges]) exchange.abort();
    for (const tail of [...(presence.tails ?? [])]) tail.close();
  }

  /** After a gap in the bus: hints were lost, the logs were not. */
  async lookAtEverything(): Promise<void> {
    await this.#lookAt([...this.tails()]);
  }

  /** The store is back: reading was of no use before. */
  async lookAtThoseBehind(): Promise<void> {
    await this.#lookAt([...this.tails()].filter(({ behind }) => behind));
  }

  /** After a gap, and before anything more is heard of changes. */
  forgetSubscriptions(): void {
    for (const tail of this.tails()) if (tail instanceof MainTail) tail.forgetSubscriptions();
  }

  /** By the clock: a hint may have been lost without a trace. The next ones in turn; all of them, while they are few. */
  async lookAround(): Promise<void> {
    for (const tail of this.tails()) tail.cutIfStuck();
    if (this.#unseen.length === 0) this.#unseen = [...this.tails()];
    await this.#lookAt(this.#unseen.splice(0, LOOKS_PER_TURN));
  }

  #lookAt(tails: readonly Tail[]): Promise<void> {
    return inPortions(tails, LOOKS_AT_ONCE, (tail) => {
      if (tail.finished) return;
      return tail.active ? tail.look() : this.#reclaim(tail);
    });
  }

  closeTails(retryMs: number): void {
    for (const tail of [...this.tails()]) tail.close(retryMs);
  }

  /** Ends what runs here, without a word; the names of those calls that a survivor can take over. */
  relinquish(): CallName[] {
    const exchanges = [...this.#bySession.values()].flatMap((presence) => presence.exchanges);
    for (const exchange of exchanges) exchange.relinquish();
    return exchanges.flatMap(({ sessionId, callId }) => (callId === undefined ? [] : { sessionId, callId }));
  }

  /** The streams that no call running here feeds: main streams, and what is resumed of calls elsewhere. */
  closeIdleTails(retryMs: number): void {
    for (const { exchanges, tails } of this.#bySession.values()) {
      const running = new Set([...exchanges].map(({ callId }) => callId));
      for (const tail of [...(tails ?? [])]) if (!running.has(tail.streamId)) tail.close(retryMs);
    }
  }

  stop(): void {
    this.#stopPulse();
    this.#expire.clear();
  }

  /** A silent tail takes the stream when nobody holds it (any more). */
  async #reclaim(tail: Tail): Promise<void> {
    if (tail.finished) return;
    try {
      const outcome = await this.#log.attachTail(tail.sessionId, tail.streamId, tail.holder, { takeOver: false });
      if (outcome.outcome === 'attached') {
        const position = parseDelivered(tail.streamId, outcome.delivered ?? '');
        if (tail.finished) await this.giveUp(tail);
        else tail.wake(position ?? { streamId: tail.streamId, own: START });
      } else if (outcome.outcome === 'gone' || outcome.outcome === 'unknown') {
        tail.close();
      } else if (!(await this.#isAlive(outcome.holder.nodeToken))) {
        await this.#log.attachTail(tail.sessionId, tail.streamId, tail.holder, { takeOver: true });
        await this.#reclaim(tail);
      } else if (tail.streamId !== MAIN_STREAM) {
        await tail.endIfOver();
      }
    } catch (error) {
      this.#logger.debug({ error }, 'tail: not reclaimed');
    }
  }

  #bury(sessionId: string, requestId: JsonRpcId): void {
    const key = tombstone(sessionId, requestId);
    if (this.#tombstones.size >= TOMBSTONES || this.#tombstones.has(key)) return;
    this.#tombstones.add(key);
    this.#expire.add(key);
  }

  #presence(sessionId: string) {
    let presence = this.#bySession.get(sessionId);
    if (!presence) {
      presence = { exchanges: [], tails: undefined };
      this.#bySession.set(sessionId, presence);
    }
    return presence;
  }

  #forgetIfIdle(sessionId: string): void {
    const presence = this.#bySession.get(sessionId);
    if (presence && presence.exchanges.length === 0 && !presence.tails?.size) this.#bySession.delete(sessionId);
  }
}

/** Ids 7 and "7" are two requests. */
function tombstone(sessionId: string, requestId: JsonRpcId): string {
  return `${sessionId} ${typeof requestId} ${requestId}`;
}
