/**
 * The tail of a session's main stream: the standalone GET stream, or the one of HTTP+SSE.
 *
 * It merges the session's own log with the fleet's changes. A change is not copied into the logs of the sessions: each
 * main tail reads the one log of changes from a position of its own, which is part of its event ids. A thousand
 * streams cost one write, and still every node can tell which changes a client has seen.
 *
 * What piled up while no stream was open is told once for each kind and resource, not once for each change.
 */
import type { EventPosition } from './event-id.js';
import { formatEventId, isAfter } from './event-id.js';
import type { Portions } from './in-portions.js';
import type { Change, ChangeEntry, ChangeLog } from './ports/change-log.js';
import { MAIN_STREAM } from './ports/event-log.js';
import { StoreUnavailable } from './ports/store.js';
import { Subscriptions } from './subscriptions.js';
import { Tail, type TailContext, type TailOptions } from './tail.js';

const READ_LIMIT = 500;

export interface MainTailOptions extends Omit<TailOptions, 'streamId' | 'primes'> {
  readonly changes: ChangeLog;
  /** Reads from the store what the session is subscribed to, and since when. */
  readonly subscriptions: () => Promise<ReadonlyMap<string, string>>;
  /** Before `notifications/initialized` a client is sent no changes; they wait in the log. */
  readonly initialized: boolean;
  /** Asks the store whether that has come: word of it may have been lost, or have come too early. */
  readonly isInitialized: () => Promise<boolean>;
  /** Shared by all tails of the node. */
  readonly readings: Portions;
}

export class MainTail extends Tail {
  readonly #changes: ChangeLog;
  readonly #subscriptions: Subscriptions;
  readonly #isInitialized: () => Promise<boolean>;
  readonly #readings: Portions;
  #initialized: boolean;
  #changesPosition: string;
  /** Live changes are taken only when everything before them was read. */
  #started = false;
  #caughtUp = false;
  #catchingUp = false;
  #again = false;
  #recording = false;
  #recorded: string;

  constructor(context: TailContext, options: MainTailOptions) {
    super(context, { ...options, streamId: MAIN_STREAM, primes: false });
    this.#changes = options.changes;
    this.#subscriptions = new Subscriptions(options.subscriptions);
    this.#initialized = options.initialized;
    this.#isInitialized = options.isInitialized;
    this.#readings = options.readings;
    this.#changesPosition = options.position.changes ?? '0-0';
    this.#recorded = this.delivered;
  }

  protected override get position(): EventPosition {
    return { streamId: this.streamId, own: this.own, changes: this.#changesPosition };
  }

  protected override moveTo(position: EventPosition): void {
    super.moveTo(position);
    this.#changesPosition = position.changes ?? this.#changesPosition;
    this.#caughtUp = false;
    // What lies before that is the business of whoever sent the stream until then.
    this.#subscriptions.late.clear();
  }

  override start(position?: EventPosition): void {
    super.start(position);
    this.#started = true;
    void this.catchUp();
  }

  override wake(position: EventPosition): void {
    super.wake(position);
    this.#started = true;
    void this.catchUp();
  }

  override get behind(): boolean {
    return !this.#caughtUp;
  }

  setInitialized(): void {
    this.#initialized = true;
    void this.catchUp();
  }

  /** `since` undefined: the session has unsubscribed. */
  setSubscription(uri: string, since: string | undefined): void {
    this.#subscriptions.hear(uri, since);
    if (!this.#subscriptions.late.has(uri)) return;
    if (isAfter(this.#changesPosition, since ?? '')) void this.catchUp();
    else this.#subscriptions.late.delete(uri);
  }

  /** Signals about subscriptions were lost: they are read again with the next look. */
  forgetSubscriptions(): void {
    this.#subscriptions.forget();
    this.#caughtUp = false;
  }

  /** A change of the fleet, in the order of its log. */
  offerChange(entry: ChangeEntry): void {
    if (!this.active || !this.#started || !this.#initialized) return;
    // Catching up reads the log by itself, and may have told of what the node hears of only now.
    if (!isAfter(entry.position, this.#changesPosition)) return;
    if (this.#caughtUp && !this.sink.congested) this.#tell(entry);
    else void this.catchUp();
  }

  /** Something was missed on the way to this node, and the node cannot say what. */
  changesMissed(): void {
    this.#caughtUp = false;
    void this.catchUp();
  }

  override look(): Promise<void> {
    if (!this.#caughtUp) void this.catchUp();
    return super.look();
  }

  protected override onDrained(): void {
    super.onDrained();
    void this.catchUp();
  }

  /**
   * Reads the changes that this stream has not been told of. Where the store fails, the position stays where it is: the next
   * look, at the latest the one by the clock, goes on.
   */
  async catchUp(): Promise<void> {
    if (!this.#started || !this.active) return;
    this.#again = true;
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    this.#caughtUp = false;
    try {
      while (this.#again && this.active) {
        this.#again = false;
        // After a gap all tails of the node are behind, and the first change that is heard sets all of them off.
        if (!(await this.#readings.run(() => this.#readOn()))) return;
      }
      this.#caughtUp = !this.#subscriptions.stale;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) this.context.logger.error({ error }, 'main tail: catching up failed');
    } finally {
      this.#catchingUp = false;
    }
  }

  /** False: nothing can be told for now, and somebody will come back to that. */
  async #readOn(): Promise<boolean> {
    if (!(await this.#mayTell())) return false;
    const { turn } = this;
    await this.#tellLate();
    const { complete, entries } = await this.#changes.read(this.#changesPosition, READ_LIMIT);
    const position = complete ? undefined : (entries.at(-1)?.position ?? (await this.#changes.latest()));
    if (!this.active) return false;
    if (turn !== this.turn || this.#subscriptions.stale) {
      // Sent on from another position, or wanted by others, than was known when this was read.
      this.#again = true;
      return true;
    }
    if (position !== undefined) this.#tellAnythingMayHaveChanged(position);
    else if (!this.#tellAll(entries)) return false;
    if (entries.length > 0) this.#again = true;
    return true;
  }

  async #mayTell(): Promise<boolean> {
    if (!this.#initialized && (await this.#isInitialized())) this.#initialized = true;
    if (this.#initialized) await this.#subscriptions.ready();
    return this.#initialized;
  }

  /** Of what the session turned out to be subscribed to: whether it changed before this stream knew, and was passed over. */
  async #tellLate(): Promise<void> {
    const late = new Map(this.#subscriptions.late);
    const passed = [...late.values()].filter((since) => isAfter(this.#changesPosition, since));
    if (passed.length > 0) {
      const oldest = passed.reduce((a, b) => (isAfter(a, b) ? b : a));
      const { complete, entries } = await this.#changes.read(oldest, READ_LIMIT);
      if (!this.active) return;
      const isAll = complete && entries.length < READ_LIMIT;
      for (const [uri, since] of late) {
        const wasPassed = ({ position, change }: ChangeEntry): boolean =>
          change.kind === 'resource' &&
          change.uri === uri &&
          isAfter(position, since) &&
          !isAfter(position, this.#changesPosition);
        // Without an id: the position is that of what was sent before.
        if (this.#subscriptions.has(uri) && (!isAll || entries.some(wasPassed))) this.#send({ kind: 'resource', uri });
      }
    }
    for (const uri of late.keys()) this.#subscriptions.late.delete(uri);
  }

  /** False: the client has to read first; what is left stays in the log until then. */
  #tellAll(entries: readonly ChangeEntry[]): boolean {
    for (const entry of newestOfEach(entries)) {
      if (this.sink.congested) {
        this.sink.onDrain(() => this.onDrained());
        return false;
      }
      this.#tell(entry);
    }
    this.#changesPosition = entries.at(-1)?.position ?? this.#changesPosition;
    return true;
  }

  #tell({ position, change }: ChangeEntry): void {
    this.#changesPosition = position;
    if (change.kind === 'resource' && !this.#subscriptions.has(change.uri)) return;
    this.#send(change, formatEventId(this.position));
  }

  #tellAnythingMayHaveChanged(position: string): void {
    this.context.metrics.historyLost();
    this.#changesPosition = position;
    const resources = [...this.#subscriptions].map((uri) => ({ kind: 'resource' as const, uri }));
    const changes: Change[] = [...resources, { kind: 'tools' }, { kind: 'prompts' }, { kind: 'resources' }];
    // The position comes with the last one: who loses the connection before it is told again.
    const last = changes.length - 1;
    for (const [i, change] of changes.entries())
      this.#send(change, i === last ? formatEventId(this.position) : undefined);
  }

  #send(change: Change, id?: string): void {
    this.sink.send({ ...(id !== undefined && { id }), data: JSON.stringify(notificationOf(change)) });
  }

  /**
   * Events of the session's own log are noted at once: a client that comes back without `Last-Event-ID` must not get an
   * answer twice. One note is under way at a time and the next one tells the newest position.
   */
  protected override onDelivered(): void {
    void this.record();
  }

  async record(): Promise<void> {
    if (this.#recording || !this.active || this.#recorded === this.delivered) return;
    this.#recording = true;
    try {
      while (this.#recorded !== this.delivered && this.active) {
        const delivered = this.delivered;
        await this.context.log.recordDelivered(this.sessionId, this.streamId, this.holder, delivered);
        this.#recorded = delivered;
      }
    } catch {
      // Costs at most a repetition after a reconnection without Last-Event-ID; the next event notes it again.
    } finally {
      this.#recording = false;
    }
  }

  /** A main stream never ends by what is in its log; missing events are said and the rest is sent. */
  protected override onHistoryLost(known: boolean): void {
    // A log whose life ran out had nothing to say for that long: no event after the position was dropped.
    if (known) super.onHistoryLost(known);
  }
}

export function notificationOf(change: Change): object {
  if (change.kind === 'resource') {
    return { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: change.uri } };
  }
  return { jsonrpc: '2.0', method: `notifications/${change.kind}/list_changed` };
}

function newestOfEach(entries: readonly ChangeEntry[]): ChangeEntry[] {
  const newest = new Map<string, ChangeEntry>();
  for (const entry of entries) {
    const key = entry.change.kind === 'resource' ? `resource ${entry.change.uri}` : entry.change.kind;
    newest.delete(key);
    newest.set(key, entry);
  }
  return [...newest.values()];
}
